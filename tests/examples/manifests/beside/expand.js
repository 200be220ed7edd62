//VERSION=3
const threshold = ${{ vars.threshhold }};
