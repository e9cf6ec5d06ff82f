import Glibc
public import WeirEngine

/// A report about an output.
public enum SinkReport: Sendable {
    /// Writing failed; nothing more is written to the output, and nothing waits for it.
    case failed(SinkFailure)
    /// At the end of the relay: the amount that was not written to an output that had failed.
    case missed(SinkFailure, Missed)
    /// The output's file was deleted or renamed, and a new one was begun.
    case renewed(name: String)
    /// A file is complete, and nothing more is written to it.
    case recorded(path: String)
    /// Chunks were skipped, because the output was too slow.
    case lost(name: String, chunks: UInt64, bytes: UInt64)
}

/// The failure of an output.
public struct SinkFailure: Hashable, Sendable {
    /// The output's name.
    public var name: String
    /// The error.
    public var error: ErrorNumber
    /// The number of outputs that still worked then.
    public var othersLeft: Int

    /// Whether the output's reader is gone (`| head`, EPIPE), or the output was closed from the start (`>&-`, EBADF).
    public var isClosed: Bool { error.rawValue == EPIPE || error.rawValue == EBADF }

    /// Whether the closed output was the only one, or the last, so that the relay has no output left.
    public var isEndOfInterest: Bool { isClosed && othersLeft == 0 }
}

/// The counts of what was not written to an output that had failed.
public struct Missed: Hashable, Sendable {
    /// The number of records, chunks and all others, that the sink wanted.
    public var records: UInt64 = 0
    /// The number of those records that are chunks.
    public var chunks: UInt64 = 0
    /// The chunks' length in bytes.
    public var bytes: UInt64 = 0

    /// Adds a record, if a sink with that interest wants it; `length` is the length of a chunk in bytes.
    mutating func add(chunkOf length: Int?, for interest: Interest) {
        if let length {
            guard interest >= .chunks else { return }
            chunks += 1
            bytes += UInt64(length)
        }
        records += 1
    }

    /// Adds the records of a run, with its chunks if a sink with that interest wants them; messages are parts of chunks.
    mutating func add(_ run: RecordRun, for interest: Interest) {
        run.forEach { record, _ in
            switch record.happening {
            case .forwarded(let chunk): add(chunkOf: chunk.length, for: interest)
            // Parts of chunks that go on, and how they were on the wire.
            case .message, .received, .wire: break
            default: add(chunkOf: nil, for: interest)
            }
        }
    }

    static func + (left: Missed, right: Missed) -> Missed {
        Missed(
            records: left.records + right.records,
            chunks: left.chunks + right.chunks,
            bytes: left.bytes + right.bytes
        )
    }
}
