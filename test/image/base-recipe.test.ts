import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { archiveOf, type BaseRecipe, baseImageName, codenameOf } from './base-recipe.ts';

const LISTING = `sid main http://packages.example.com/other/
bookworm contrib http://packages.example.com/debian/
bookworm main http://packages.example.com/debian/
bookworm-updates main http://packages.example.com/updates/
`;

describe('the base image', () => {
  it('takes its packages from where this machine takes them', () => {
    assert.equal(archiveOf(LISTING, 'bookworm'), 'http://packages.example.com/debian/');
    assert.equal(archiveOf(LISTING, 'noble'), undefined);
  });

  for (const [text, codename] of [
    ['NAME="Debian GNU/Linux"\nVERSION_CODENAME=bookworm\nID=debian\n', 'bookworm'],
    ['UBUNTU_CODENAME=noble\nVERSION_CODENAME="noble"', 'noble'],
    ['NAME="Alpine Linux"\n', undefined],
  ] as const) {
    it(`is of the release ${codename} when /etc/os-release says ${JSON.stringify(text)}`, () => {
      assert.equal(codenameOf(text), codename);
    });
  }

  it('has another name with other authorities, another Node or another mirror', () => {
    const recipe: BaseRecipe = {
      suite: 'bookworm',
      mirror: 'http://packages.example.com/debian/',
      arch: 'x64',
      nodeVersion: 'v24.21.0',
      npmVersion: '11.0.0',
      npmrc: '',
      authorities: '',
    };
    const names = [
      recipe,
      { ...recipe, authorities: 'another' },
      { ...recipe, nodeVersion: 'v24.21.1' },
      { ...recipe, mirror: 'http://mirror.example.com/' },
    ].map(baseImageName);
    assert.equal(new Set(names).size, 4);
    for (const name of names) assert.match(name, /^modelservice-base:node24-[0-9a-f]{12}$/);
  });
});
