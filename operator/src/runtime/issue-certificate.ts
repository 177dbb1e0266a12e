import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

export interface CertificateRequest {
  readonly commonName: string;
  /** For whom clients may take a server; empty for a client's certificate. */
  readonly dnsNames: readonly string[];
  readonly usage: 'serverAuth' | 'clientAuth';
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** All three as PEM. */
export interface IssuedCertificate {
  /** What vouches for `cert`, and for nothing else: its key was thrown away. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface KeyPair {
  readonly publicKey: forge.pki.rsa.PublicKey;
  readonly privateKey: forge.pki.rsa.PrivateKey;
  /** PKCS #8, PEM. */
  readonly pem: string;
}

/** Dates from 2050 on are written in another form than before; forge writes the older one. */
const LATEST = Date.UTC(2050, 0, 1) - 1000;

/**
 * A certificate (RSA 2048, SHA-256) by an authority made for it alone. That authority's key is gone when this returns,
 * so that nobody who reads what is stored can make another certificate that is believed.
 */
export async function issueCertificate(request: CertificateRequest): Promise<IssuedCertificate> {
  const [authority, subject] = await Promise.all([keyPair(), keyPair()]);
  const authorityName = `${request.commonName} authority ${randomBytes(4).toString('hex')}`;
  const ca = certificate(request, authorityName, authority.publicKey, authorityName, [
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  const cert = certificate(request, request.commonName, subject.publicKey, authorityName, [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', [request.usage]: true },
    ...(request.dnsNames.length === 0
      ? []
      : [{ name: 'subjectAltName', altNames: request.dnsNames.map((value) => ({ type: 2, value })) }]),
  ]);
  for (const each of [ca, cert]) each.sign(authority.privateKey, forge.md.sha256.create());
  return {
    ca: forge.pki.certificateToPem(ca).replaceAll('\r', ''),
    cert: forge.pki.certificateToPem(cert).replaceAll('\r', ''),
    key: subject.pem,
  };
}

function certificate(
  { notBefore, notAfter }: CertificateRequest,
  commonName: string,
  publicKey: forge.pki.rsa.PublicKey,
  issuer: string,
  extensions: object[],
): forge.pki.Certificate {
  const made = forge.pki.createCertificate();
  made.publicKey = publicKey;
  // Positive, and 20 bytes at most (RFC 5280, 4.1.2.2).
  made.serialNumber = `01${randomBytes(15).toString('hex')}`;
  made.validity.notBefore = new Date(notBefore);
  made.validity.notAfter = new Date(Math.min(notAfter, LATEST));
  made.setSubject([{ name: 'commonName', value: commonName }]);
  made.setIssuer([{ name: 'commonName', value: issuer }]);
  made.setExtensions(extensions);
  return made;
}

async function keyPair(): Promise<KeyPair> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const forged = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
  return {
    publicKey: forge.pki.setRsaPublicKey(forged.n, forged.e),
    privateKey: forged,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
