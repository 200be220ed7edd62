//VERSION=3
function setup() {
  return { input: ["B02", "B03", "B04"], output: { bands: 3, sampleType: "UINT16" } };
}
function evaluatePixel(sample) {
  return [sample.B04, sample.B03, sample.B02];
}
