import { dirname, resolve } from 'node:path';
import { load } from 'js-yaml';
import { z } from 'zod';
import type { PlainCluster, TextSource } from './plain-access.ts';

const text = z.string().min(1);
/** Strict: a field that is not known here is one that is not carried out here. */
const clusterSchema = z.strictObject({
  server: text,
  'certificate-authority': text.optional(),
  'certificate-authority-data': text.optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': text.optional(),
  extensions: z.unknown().optional(),
});
const userSchema = z.strictObject({
  'client-certificate': text.optional(),
  'client-certificate-data': text.optional(),
  'client-key': text.optional(),
  'client-key-data': text.optional(),
  token: text.optional(),
  tokenFile: text.optional(),
  username: text.optional(),
  password: z.string().optional(),
  extensions: z.unknown().optional(),
});
const kubeconfigSchema = z.object({
  'current-context': text,
  contexts: z.array(z.object({ name: text, context: z.object({ cluster: text, user: text }) })),
  clusters: z.array(z.object({ name: text, cluster: z.unknown() })),
  users: z.array(z.object({ name: text, user: z.unknown() })),
});

/**
 * The current context of a kubeconfig; undefined where it asks for what is not carried out here (an exec plugin, an
 * identity provider, a proxy, impersonation) or is not as it should be, which client-node tells better.
 *
 * @param path where the text stands; names of files in it are relative to its folder
 */
export function readKubeconfig(content: string, path: string): PlainCluster | undefined {
  const kubeconfig = kubeconfigSchema.safeParse(load(content)).data;
  const context = kubeconfig?.contexts.find(({ name }) => name === kubeconfig['current-context'])?.context;
  const cluster = clusterSchema.safeParse(kubeconfig?.clusters.find(({ name }) => name === context?.cluster)?.cluster);
  const user = userSchema.safeParse(kubeconfig?.users.find(({ name }) => name === context?.user)?.user ?? {});
  if (!cluster.success || !user.success) return undefined;
  const server = URL.parse(cluster.data.server);
  if (server === null) return undefined;
  const source = (data: string | undefined, file: string | undefined): TextSource | undefined => {
    if (data !== undefined) return { text: Buffer.from(data, 'base64').toString('utf8') };
    return file === undefined ? undefined : { file: resolve(dirname(path), file) };
  };
  return {
    server,
    ca: source(cluster.data['certificate-authority-data'], cluster.data['certificate-authority']),
    cert: source(user.data['client-certificate-data'], user.data['client-certificate']),
    key: source(user.data['client-key-data'], user.data['client-key']),
    token: user.data.token === undefined ? source(undefined, user.data.tokenFile) : { text: user.data.token },
    username: user.data.username,
    password: user.data.password,
    skipTLSVerify: cluster.data['insecure-skip-tls-verify'],
    tlsServerName: cluster.data['tls-server-name'],
  };
}
