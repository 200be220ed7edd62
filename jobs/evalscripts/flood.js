//VERSION=3
// Open water by low VH backscatter: 1 water, 0 land, 255 no data.
function setup() {
  return {
    input: ["VH", "dataMask"],
    output: { id: "water", bands: 1, sampleType: "UINT8" },
  };
}

function evaluatePixel(sample) {
  if (sample.dataMask === 0) return { water: [255] };
  return { water: [10 * Math.log10(sample.VH) < -20 ? 1 : 0] };
}
