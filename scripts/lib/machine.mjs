import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';

const BUSIEST = 5;
const WIDTH = 100;

/** What the machine was doing, for whoever reads of a failure later: much of what fails for want of time fails for want of a CPU. */
export function machine() {
  const load = loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
  return [`load average ${load}; busiest since their start:`, ...busiest()].join('\n    ');
}

function busiest() {
  try {
    const out = execFileSync('ps', ['-eo', 'pcpu,etimes,args', '--sort=-pcpu', '--no-headers'], { encoding: 'utf8' });
    return out
      .split('\n')
      .slice(0, BUSIEST)
      .map((line) => line.slice(0, WIDTH));
  } catch {
    return ['(no ps here)'];
  }
}
