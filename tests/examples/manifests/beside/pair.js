//VERSION=3
function setup() {
  return { input: ["B04", "B08"], output: [{ id: "a", bands: 1 }, { id: "b", bands: 1 }] };
}
function evaluatePixel(sample) {
  return { a: [sample.B04], b: [sample.B08] };
}
