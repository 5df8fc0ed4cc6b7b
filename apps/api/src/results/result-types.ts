/** Content types of the documents that results are uploaded in: JUnit XML. */
export const RESULT_TYPES: readonly string[] = ['application/xml', 'text/xml'];
