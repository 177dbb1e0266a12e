import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueCertificate } from '../../operator/src/runtime/issue-certificate.ts';

const DAY_MS = 86_400_000;
const COMMON_NAME = 'front-proxy-client';

/** Writes what an API server needs to call aggregated APIs. @returns the flags that name it */
export async function frontProxyFlags(folder: string): Promise<readonly string[]> {
  const now = Date.now();
  const { ca, cert, key } = await issueCertificate({
    commonName: COMMON_NAME,
    dnsNames: [],
    usage: 'clientAuth',
    notBefore: now - DAY_MS,
    notAfter: now + DAY_MS,
  });
  const file = (name: string): string => join(folder, `front-proxy-${name}.pem`);
  await Promise.all([
    writeFile(file('ca'), ca),
    writeFile(file('client'), cert),
    writeFile(file('key'), key, { mode: 0o600 }),
  ]);
  return [
    `--requestheader-client-ca-file=${file('ca')}`,
    `--requestheader-allowed-names=${COMMON_NAME}`,
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${file('client')}`,
    `--proxy-client-key-file=${file('key')}`,
  ];
}
