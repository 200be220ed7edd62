//VERSION=3
// Median of the clear observations of a season in four bands, and how many there were.
function setup() {
  return {
    input: [{ bands: ["B02", "B03", "B04", "B08", "SCL", "dataMask"], units: ["DN", "DN", "DN", "DN", "DN", "DN"] }],
    output: [
      { id: "mosaic", bands: 4, sampleType: "UINT16" },
      { id: "observations", bands: 1, sampleType: "UINT8" },
    ],
    mosaicking: "ORBIT",
  };
}

const CLEAR = [4, 5, 6, 7, 11];

function median(values) {
  values.sort((a, b) => a - b);
  return values.length === 0 ? 0 : values[Math.floor(values.length / 2)];
}

function evaluatePixel(samples) {
  const clear = samples.filter((s) => s.dataMask === 1 && CLEAR.includes(s.SCL));
  return {
    mosaic: ["B02", "B03", "B04", "B08"].map((band) => median(clear.map((s) => s[band]))),
    observations: [Math.min(clear.length, 255)],
  };
}
