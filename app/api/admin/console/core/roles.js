/**
 * Roles and what they may do, in words. Who may what is the server's to say; a test holds the two together.
 */

export const ROLES = Object.freeze({
  viewer: 'Sees everything but keys, secrets, users and audit',
  operator: 'Also replays dead letters and sends broadcasts',
  developer: 'Sees everything a viewer sees; manages API keys and reads secrets',
  admin: 'Everything, users included',
});

/**
 * By capability: what it is for, and the roles that have it.
 * @type {Readonly<Record<string, { to: string, roles: string[] }>>}
 */
export const CAPABILITIES = Object.freeze({
  read: { to: 'look at this', roles: ['viewer', 'operator', 'developer', 'admin'] },
  'apikey:read': { to: 'see API keys', roles: ['developer', 'admin'] },
  'apikey:manage': { to: 'create or revoke API keys', roles: ['developer', 'admin'] },
  'broadcast:compose': { to: 'send broadcasts or take them back', roles: ['operator', 'admin'] },
  'dlq:replay': { to: 'replay dead letters', roles: ['operator', 'admin'] },
  'env:manage': { to: 'create or change environments', roles: ['admin'] },
  'env:read_secret': { to: 'read secrets', roles: ['developer', 'admin'] },
  'hmac:rotate': { to: 'rotate secrets', roles: ['admin'] },
  'user:manage': { to: 'manage users or read the audit', roles: ['admin'] },
});

/**
 * In two sentences: what a role may not do, and who may.
 * @param {string} role
 * @param {string} capability
 */
export function mayNot(role, capability) {
  const { to, roles } = CAPABILITIES[capability] ?? { to: 'do this', roles: ['admin'] };
  const others = roles.length === 1 ? `The role ${roles[0]}` : `The roles ${roles.join(' and ')}`;
  return `Your role, ${role}, cannot ${to}. ${others} can.`;
}
