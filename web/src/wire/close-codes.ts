/** Why the service closed a socket: the codes that this page tells apart. */

export const CloseCode = {
  GOING_AWAY: 1001,
  TOKEN: 4001,
  DISCONNECTED: 4002,
  SCOPE: 4003,
  NO_SESSION: 4004,
  SLOW: 4008,
  ENDED: 4009,
  BAD_FRAME: 4010,
} as const;
