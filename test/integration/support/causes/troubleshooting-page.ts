import { readFile, writeFile } from 'node:fs/promises';
import { type Cause, columnsOf } from './cause.ts';

const PAGE = new URL('../../../../docs/troubleshooting.md', import.meta.url);
const [BEGIN, END] = ['<!-- the table of test/integration/causes.test.ts -->', '<!-- its end -->'];

/** The rows of the table, in the page's own form. */
export function tableOf(causes: readonly Cause[]): string {
  const rows = causes.map((cause) => {
    const { condition = 'Ready', status = 'False', reason, message } = cause.expected;
    const made = cause.made === 'real' ? cause.by : `${cause.by} *`;
    const cells = [cause.failure, made, columnsOf(cause.expected), `\`${condition}=${status}\` ${reason}`, message];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| what is wrong | seen by | READY REASON | condition | message |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

/** The table as it stands on the page. */
export async function tableOnPage(): Promise<string> {
  const text = await readFile(PAGE, 'utf8');
  return text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim();
}

/** Puts `table` on the page: for `MODELSERVICE_TEST_UPDATE_DOCS=1`. */
export async function updatePage(table: string): Promise<void> {
  const text = await readFile(PAGE, 'utf8');
  const [head, tail] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))];
  await writeFile(PAGE, `${head}${BEGIN}\n\n${table}\n\n${tail}`);
}
