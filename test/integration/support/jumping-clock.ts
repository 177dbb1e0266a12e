// Loaded into a program before its own code (`node --import`): at SIGUSR2 the machine's clock is set, as the program sees
// it, by JUMPING_CLOCK_MS more.
const jumpMs = Number(process.env.JUMPING_CLOCK_MS);
const realNow = Date.now;
let offsetMs = 0;
Date.now = () => realNow() + offsetMs;
process.on('SIGUSR2', () => {
  offsetMs += jumpMs;
});
