//VERSION=3
// Highest NDVI of the period, clouds left out; scaled to 0..20000 with 10000 as zero.
function setup() {
  return {
    input: [{ bands: ["B04", "B08", "SCL", "dataMask"] }],
    output: { id: "ndvi", bands: 1, sampleType: "UINT16" },
    mosaicking: "ORBIT",
  };
}

const CLOUDY = [3, 8, 9, 10];

function evaluatePixel(samples) {
  let best = -1;
  for (const sample of samples) {
    if (sample.dataMask === 0 || CLOUDY.includes(sample.SCL)) continue;
    best = Math.max(best, index(sample.B08, sample.B04));
  }
  return { ndvi: [10000 + 10000 * best] };
}
