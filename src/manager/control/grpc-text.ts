/** swarmkit's errors reach clients through gRPC, and their text says so: scripts match on it. */
export const grpcText = (code: string, text: string): string => `rpc error: code = ${code} desc = ${text}`
