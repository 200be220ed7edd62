//VERSION=3
// One array for red, one for the highest NDVI: Zarr wants exactly one band an output.
function setup() {
  return {
    input: [{ bands: ["B04", "B08", "dataMask"] }],
    output: [
      { id: "red", bands: 1, sampleType: "UINT16" },
      { id: "greenness", bands: 1, sampleType: "FLOAT32" },
    ],
    mosaicking: "ORBIT",
  };
}

function evaluatePixel(samples) {
  const valid = samples.filter((s) => s.dataMask === 1);
  if (valid.length === 0) return { red: [0], greenness: [NaN] };
  return {
    red: [10000 * valid[0].B04],
    greenness: [Math.max(...valid.map((s) => index(s.B08, s.B04)))],
  };
}
