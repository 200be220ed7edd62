//VERSION=3
function setup() {
  return { input: ["B04"], output: { bands: 1, sampleType: "UINT16" } };
}
function evaluatePixel(sample) {
  return [sample.B04 * 10000];
}
