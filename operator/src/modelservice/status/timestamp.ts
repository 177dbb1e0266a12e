/** RFC 3339 in seconds, as Kubernetes writes it. @param time milliseconds since the epoch */
export function timestamp(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
