//VERSION=3
function setup() {
  return {
    input: ["NO2", "dataMask"],
    output: { bands: 1, sampleType: "FLOAT32" },
    mosaicking: "ORBIT",
  };
}
function evaluatePixel(samples) {
  const seen = samples.filter((sample) => sample.dataMask === 1);
  const sum = seen.reduce((total, sample) => total + sample.NO2, 0);
  return [seen.length > 0 ? sum / seen.length : NaN];
}
function updateOutputMetadata(scenes, inputMetadata, outputMetadata) {
  outputMetadata.userData = { orbits: scenes.orbits.length };
}
