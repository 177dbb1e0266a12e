/** Where the server is between start and end; one object that the routes read and the shutdown writes. */
export interface Lifecycle {
  /** SIGTERM has come: not ready any more, and every answer closes its connection. */
  draining: boolean;
}
