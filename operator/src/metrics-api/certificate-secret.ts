import { X509Certificate } from 'node:crypto';
import type { Intent, KubeObject } from '../kube/types.ts';
import type { IssuedCertificate } from '../runtime/issue-certificate.ts';

export interface Secret extends KubeObject {
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

/** PEM. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What the Secret holds. */
export interface CertificateSet {
  /** What is served. */
  readonly current: ServingCertificate | undefined;
  /** What will be, once every API server knows the authority that vouches for it. */
  readonly next: ServingCertificate | undefined;
  /** What vouches for one or the other: PEM, one certificate each. */
  readonly authorities: readonly string[];
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g;

export function certificatesIn(secret: Secret): CertificateSet {
  const text = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
  const pair = (prefix: string): ServingCertificate | undefined => {
    const [cert, key] = [text(`${prefix}tls.crt`), text(`${prefix}tls.key`)];
    return cert === '' || key === '' ? undefined : { cert, key };
  };
  return { current: pair(''), next: pair('next-'), authorities: splitPem(text('ca.crt')) };
}

/** Refused when the Secret has changed since `secret` was read: of two replicas one wins. */
export function secretIntent(secret: Secret, { current, next, authorities }: CertificateSet): Intent {
  const { name, namespace, resourceVersion } = secret.metadata;
  const entries = {
    'tls.crt': current?.cert,
    'tls.key': current?.key,
    'next-tls.crt': next?.cert,
    'next-tls.key': next?.key,
    'ca.crt': authorities.join(''),
  };
  const data = Object.entries(entries)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, Buffer.from(value ?? '').toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), resourceVersion },
    data: Object.fromEntries(data),
  };
}

/** `issued` becomes the next certificate or, where there is no time to lose, the current one. */
export function withIssued(
  set: CertificateSet,
  issued: IssuedCertificate,
  as: 'current' | 'next',
  now: number,
): CertificateSet {
  const pair = { cert: issued.cert, key: issued.key };
  const authorities = [...set.authorities.filter((pem) => isUnexpired(pem, now)), issued.ca];
  return as === 'next' ? { ...set, next: pair, authorities } : { current: pair, next: undefined, authorities };
}

export function promoted({ next, authorities }: CertificateSet, now: number): CertificateSet {
  // The former one's authority stays for as long as it is valid: the other replica may serve it for a moment yet.
  return { current: next, next: undefined, authorities: authorities.filter((pem) => isUnexpired(pem, now)) };
}

export function splitPem(text: string): readonly string[] {
  return (text.match(BLOCK) ?? []).map((block) => `${block.trimEnd()}\n`);
}

/** The certificate as parsed; undefined where the text is none. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function isUnexpired(pem: string, now: number): boolean {
  const certificate = parseCertificate(pem);
  return certificate !== undefined && certificate.validToDate.getTime() > now;
}
