//VERSION=3
// Terrain-corrected backscatter, linear power.
function setup() {
  return {
    input: ["VV", "VH", "dataMask"],
    output: [
      { id: "VV", bands: 1, sampleType: "FLOAT32" },
      { id: "VH", bands: 1, sampleType: "FLOAT32" },
    ],
  };
}

function evaluatePixel(sample) {
  const value = (band) => (sample.dataMask === 1 ? sample[band] : NaN);
  return { VV: [value("VV")], VH: [value("VH")] };
}
