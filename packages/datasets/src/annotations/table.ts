import { dsvFormat } from 'd3-dsv';
import { annotationError, lineOf } from './text.ts';

/** A row of a table with the number of its line, from 1. */
export interface TableRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Rows of a CSV file (RFC 4180: fields may be quoted) with any separator. Empty lines are passed over.
 *
 * @param source name of the file, for messages
 * @throws DatasetError `annotation` for a quote that is not closed on its line
 */
export function parseTable(text: string, separator: string, source: string): TableRow[] {
  return dsvFormat(separator)
    .parseRows(text)
    .flatMap((fields, index) => {
      const line = index + 1;
      // No format of this package has line breaks in fields: a quote is open, and the numbers of lines would be wrong from here.
      if (fields.some((field) => /[\r\n]/.test(field))) {
        throw annotationError(lineOf(source, line), 'a quote that is closed on its line', fields.join(separator));
      }
      return fields.every((field) => field.trim() === '') ? [] : [{ line, fields }];
    });
}
