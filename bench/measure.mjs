/** Measuring: load at a number in flight, latencies one at a time, and how figures are summed up. */

export const inFlight = async (count, total, work) => {
  let left = total;
  const started = performance.now();
  const cpu = process.cpuUsage();
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: count }, lane));
  const used = process.cpuUsage(cpu);
  return {
    perSecond: (total * 1000) / (performance.now() - started),
    cpuMicroseconds: (used.user + used.system) / total,
  };
};

export const latencies = async (total, work) => {
  const taken = [];
  for (let n = 0; n < total; n += 1) {
    const started = performance.now();
    await work();
    taken.push(performance.now() - started);
  }
  return percentiles(taken);
};

export const percentiles = (taken) => ({ p50: quantile(taken, 0.5), p99: quantile(taken, 0.99) });

export const quantile = (values, q) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
};

export const rounded = (value) =>
  value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;

/** Median with the smallest and the largest, of the rounds of one measurement. */
export const spread = (values) => ({
  median: rounded(quantile(values, 0.5)),
  min: rounded(Math.min(...values)),
  max: rounded(Math.max(...values)),
});

export const peakRssMiB = () => Math.round(process.resourceUsage().maxRSS / 1024);
