//VERSION=3
// Mean NDVI, NDWI and brightness of a field.
function setup() {
  return {
    input: [{ bands: ["B03", "B04", "B08", "dataMask"] }],
    output: { id: "indices", bands: 3, sampleType: "FLOAT32" },
  };
}

function evaluatePixel(s) {
  if (s.dataMask === 0) return { indices: [NaN, NaN, NaN] };
  return { indices: [index(s.B08, s.B04), index(s.B03, s.B08), (s.B03 + s.B04 + s.B08) / 3] };
}
