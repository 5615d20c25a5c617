/**
 * The part of etcd's wire protocol that we use, as data: message and field names, numbers and types.
 * @see https://etcd.io/docs/v3.4/dev-guide/api_reference_v3/
 */
type Field = { id: number; type: string; rule?: 'repeated' }
type Message = { fields: Record<string, Field>; oneofs?: Record<string, { oneof: string[] }> }
type Method = { requestType: string; responseType: string; requestStream?: boolean; responseStream?: boolean }

/** `name: "type number"`; a leading `[]` means repeated. */
function message(fields: Record<string, string>, oneof?: string[]): Message {
  const entries = Object.entries(fields).map(([name, text]): [string, Field] => {
    const [type = '', id = '0'] = text.split(' ')
    const repeated = type.startsWith('[]')
    return [
      name,
      { id: Number(id), type: repeated ? type.slice(2) : type, ...(repeated ? { rule: 'repeated' } : {}) },
    ]
  })
  return {
    fields: Object.fromEntries(entries),
    ...(oneof === undefined ? {} : { oneofs: { choice: { oneof } } }),
  }
}

const method = (name: string, streams: Partial<Method> = {}): Method => ({
  requestType: `${name}Request`,
  responseType: `${name}Response`,
  ...streams,
})
const service = (methods: Record<string, Method>) => ({ methods })
const header = 'ResponseHeader 1'

const etcdserverpb = {
  ResponseHeader: message({
    cluster_id: 'uint64 1',
    member_id: 'uint64 2',
    revision: 'int64 3',
    raft_term: 'uint64 4',
  }),
  KeyValue: message({
    key: 'bytes 1',
    create_revision: 'int64 2',
    mod_revision: 'int64 3',
    value: 'bytes 5',
  }),
  Event: message({ type: 'int32 1', kv: 'KeyValue 2' }),

  RangeRequest: message({
    key: 'bytes 1',
    range_end: 'bytes 2',
    limit: 'int64 3',
    revision: 'int64 4',
    serializable: 'bool 7',
    keys_only: 'bool 8',
    count_only: 'bool 9',
  }),
  RangeResponse: message({ header, kvs: '[]KeyValue 2', more: 'bool 3', count: 'int64 4' }),
  PutRequest: message({ key: 'bytes 1', value: 'bytes 2', lease: 'int64 3' }),
  DeleteRangeRequest: message({ key: 'bytes 1', range_end: 'bytes 2' }),
  Compare: message(
    {
      result: 'int32 1',
      target: 'int32 2',
      key: 'bytes 3',
      create_revision: 'int64 5',
      mod_revision: 'int64 6',
    },
    ['create_revision', 'mod_revision'],
  ),
  RequestOp: message(
    {
      request_range: 'RangeRequest 1',
      request_put: 'PutRequest 2',
      request_delete_range: 'DeleteRangeRequest 3',
    },
    ['request_range', 'request_put', 'request_delete_range'],
  ),
  // What a write within a transaction answers is of no use, and a transaction has thousands.
  ResponseOp: message({ response_range: 'RangeResponse 1' }, ['response_range']),
  TxnRequest: message({ compare: '[]Compare 1', success: '[]RequestOp 2', failure: '[]RequestOp 3' }),
  TxnResponse: message({ header, succeeded: 'bool 2', responses: '[]ResponseOp 3' }),
  CompactionRequest: message({ revision: 'int64 1', physical: 'bool 2' }),
  CompactionResponse: message({ header }),

  WatchCreateRequest: message({
    key: 'bytes 1',
    range_end: 'bytes 2',
    start_revision: 'int64 3',
    progress_notify: 'bool 4',
    fragment: 'bool 8',
  }),
  WatchRequest: message({ create_request: 'WatchCreateRequest 1' }, ['create_request']),
  WatchResponse: message({
    header,
    watch_id: 'int64 2',
    created: 'bool 3',
    canceled: 'bool 4',
    compact_revision: 'int64 5',
    cancel_reason: 'string 6',
    fragment: 'bool 7',
    events: '[]Event 11',
  }),

  LeaseGrantRequest: message({ TTL: 'int64 1', ID: 'int64 2' }),
  LeaseGrantResponse: message({ header, ID: 'int64 2', TTL: 'int64 3', error: 'string 4' }),
  LeaseRevokeRequest: message({ ID: 'int64 1' }),
  LeaseRevokeResponse: message({ header }),
  LeaseKeepAliveRequest: message({ ID: 'int64 1' }),
  LeaseKeepAliveResponse: message({ header, ID: 'int64 2', TTL: 'int64 3' }),

  Member: message({
    ID: 'uint64 1',
    name: 'string 2',
    peerURLs: '[]string 3',
    clientURLs: '[]string 4',
    isLearner: 'bool 5',
  }),
  MemberAddRequest: message({ peerURLs: '[]string 1', isLearner: 'bool 2' }),
  MemberAddResponse: message({ header, member: 'Member 2', members: '[]Member 3' }),
  MemberRemoveRequest: message({ ID: 'uint64 1' }),
  MemberRemoveResponse: message({ header, members: '[]Member 2' }),
  MemberUpdateRequest: message({ ID: 'uint64 1', peerURLs: '[]string 2' }),
  MemberUpdateResponse: message({ header, members: '[]Member 2' }),
  MemberListRequest: message({}),
  MemberListResponse: message({ header, members: '[]Member 2' }),
  MemberPromoteRequest: message({ ID: 'uint64 1' }),
  MemberPromoteResponse: message({ header, members: '[]Member 2' }),

  AlarmRequest: message({ action: 'int32 1', memberID: 'uint64 2', alarm: 'int32 3' }),
  AlarmMember: message({ memberID: 'uint64 1', alarm: 'int32 2' }),
  AlarmResponse: message({ header, alarms: '[]AlarmMember 2' }),
  StatusRequest: message({}),
  StatusResponse: message({
    header,
    version: 'string 2',
    dbSize: 'int64 3',
    leader: 'uint64 4',
    raftIndex: 'uint64 5',
    raftTerm: 'uint64 6',
    raftAppliedIndex: 'uint64 7',
    errors: '[]string 8',
    dbSizeInUse: 'int64 9',
    isLearner: 'bool 10',
  }),
  DefragmentRequest: message({}),
  DefragmentResponse: message({ header }),
  SnapshotRequest: message({}),
  SnapshotResponse: message({ header, remaining_bytes: 'uint64 2', blob: 'bytes 3' }),
  MoveLeaderRequest: message({ targetID: 'uint64 1' }),
  MoveLeaderResponse: message({ header }),

  KV: service({
    Range: method('Range'),
    Txn: method('Txn'),
    Compact: method('Compaction'),
  }),
  Watch: service({ Watch: method('Watch', { requestStream: true, responseStream: true }) }),
  Lease: service({
    LeaseGrant: method('LeaseGrant'),
    LeaseRevoke: method('LeaseRevoke'),
    LeaseKeepAlive: method('LeaseKeepAlive', { requestStream: true, responseStream: true }),
  }),
  Cluster: service({
    MemberAdd: method('MemberAdd'),
    MemberRemove: method('MemberRemove'),
    MemberUpdate: method('MemberUpdate'),
    MemberList: method('MemberList'),
    MemberPromote: method('MemberPromote'),
  }),
  Maintenance: service({
    Alarm: method('Alarm'),
    Status: method('Status'),
    Defragment: method('Defragment'),
    Snapshot: method('Snapshot', { responseStream: true }),
    MoveLeader: method('MoveLeader'),
  }),
}

export const schema = { nested: { etcdserverpb: { nested: etcdserverpb } } }
