/** The tests of MongoDB's drivers that this engine does not pass, by why. Each failing test is in exactly one of these, and none that passes. */
export type Refusal = { readonly reason: string, readonly tests: readonly RegExp[] }

export const REFUSALS: readonly Refusal[] = [
  {
    reason: 'collation: only the simple one (NotImplemented)',
    tests: [/-collation\.json :: /]
  },
  {
    reason: 'let and $expr: no variables (40415) and no expressions in filters (NotImplemented)',
    tests: [
      /(aggregate|find|findOneAnd\w+|(delete|update)(One|Many)|replaceOne)-let\.json :: .* with let option$/,
      /client-bulkWrite-options\.json :: client bulkWrite let$/,
      // Their failing filter has an $expr.
      /client-bulkWrite-errors\.json :: (an individual operation|detailed results|a bulk write with only errors) /
    ]
  },
  {
    reason: 'updates by an aggregation pipeline (NotImplemented)',
    tests: [
      /-pipeline\.json :: (Update(One|Many)|FindOneAndUpdate) (in bulk write )?using pipelines$/,
      /-dots_and_dollars\.json :: Updating document to set .* on 5\.0\+ server$/,
      /findOneAndUpdate-comment\.json :: findOneAndUpdate with (string|document) comment$/,
      /client-bulkWrite-update-pipeline\.json :: client bulkWrite update(One|Many) with pipeline$/,
      /\/bulkWrite-updateOne-sort\.json :: BulkWrite updateOne with sort option$/
    ]
  },
  {
    reason: 'arrayFilters (40415)',
    tests: [/-arrayFilters\.json :: /, /client-bulkWrite-update-options\.json :: .* with arrayFilters$/]
  },
  {
    reason: '$out and $merge (40324, as for any unknown stage)',
    tests: [
      /\/aggregate-(merge|merge-errorResponse|out|write-readPreference)\.json :: .*(\$merge|\$out)/,
      /aggregate-out-readConcern\.json :: readConcern (majority|local|available) with out stage$/,
      /bypassDocumentValidation\.json :: Aggregate with \$out/,
      /retryable-writes\/.*aggregate-out-merge\.json :: /
    ]
  },
  {
    reason: 'aggregation without a collection (40324 for its stages)',
    tests: [/db-aggregate(-write-readPreference)?\.json :: /]
  },
  {
    reason: 'views, and clustered, time series and pre-image collections (40415)',
    tests: [
      /estimatedDocumentCount\.json :: .* on views$/,
      /clustered-indexes\.json :: /,
      /timeseries-collection\.json :: /,
      /-pre_and_post_images\.json :: /
    ]
  },
  {
    reason: 'createIndexes within a transaction (OperationNotSupportedInTransaction)',
    tests: [/transactions\/.*create-index\.json :: create index on a (non-existing collection|collection created within the same transaction)$/]
  },
  {
    reason: 'collMod, and with it document validation (CommandNotFound)',
    tests: [/findOneAndUpdate-errorResponse\.json :: .* document validation /, /modifyCollection-errorResponse\.json :: /]
  },
  {
    reason: 'snapshot reads outside transactions (InvalidOptions)',
    tests: [
      /snapshot-sessions\.json :: .*(with snapshot|snapshot reads|snapshot read does)/,
      /implicit-sessions-default-causal-consistency\.json :: .* on retried read .* when readConcern level is snapshot$/
    ]
  },
  {
    reason: 'the runner goes on after the error that ended the transaction: its commit is answered with a transient NoSuchTransaction, which the driver tries again without end',
    tests: [/callback-retry\.json :: callback is not retried after non-transient error \(DuplicateKeyError\)$/]
  },
  {
    reason: 'the driver wraps the error of a client bulk write, and the runner looks for its code and labels outside',
    tests: [
      /client-bulkWrite-errorResponse\.json :: /,
      /client-bulkWrite-serverErrors\.json :: .* with (multi: true .* top-level error|retryWrites: false does not retry)$/
    ]
  },
  {
    reason: 'the driver gives a result of zeros, an _id for null, and no error for a transaction\'s write concern',
    tests: [
      /client-bulkWrite-partialResults\.json :: partialResult is unset when /,
      /create-null-ids\.json :: inserting _id with type null via clientBulkWrite$/,
      /transactions\/.*client-bulkWrite\.json :: client bulkWrite with writeConcern in a transaction /
    ]
  },
  {
    reason: 'the driver names all documents sent as inserted when the connection is lost twice, and the runner compares: nothing has been written',
    tests: [/retryable-writes\/.*bulkWrite\.json :: First insertOne is never committed$/]
  }
]
