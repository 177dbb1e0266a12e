import type { Telemetry } from './telemetry.ts';

interface Step {
  readonly phase: string;
  readonly sinceMs: number;
}

/** Turns the phases that a model passes through into the seconds that each took. */
export interface LoadTimer {
  /** A model is in a phase; told again and again of the same one while it makes progress. */
  entered(model: string, version: string, phase: string): void;
}

/** @param nowMs a clock that never goes back, in milliseconds */
export function createLoadTimer(telemetry: Pick<Telemetry, 'phaseEnded'>, nowMs = () => performance.now()): LoadTimer {
  const steps = new Map<string, Step>();
  return {
    entered: (model, version, phase) => {
      const former = steps.get(model);
      if (former?.phase === phase) return;
      const now = nowMs();
      if (former !== undefined) telemetry.phaseEnded(model, version, former.phase, (now - former.sinceMs) / 1000);
      if (phase === 'Ready' || phase === 'Failed' || phase === 'Removed') steps.delete(model);
      else steps.set(model, { phase, sinceMs: now });
    },
  };
}
