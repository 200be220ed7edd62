//VERSION=3
function setup() {
  return { input: ["B04", "B08"], output: { bands: 1, sampleType: "INT8" } };
}
function evaluatePixel(sample) {
  return [100 * (sample.B08 - sample.B04)];
}
