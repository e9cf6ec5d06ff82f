import Glibc
public import WeirFlow

/// Tells what became of an output.
public enum SinkReport: Sendable {
    /// Writing failed; the output is written no more, and nobody waits for it.
    case failed(SinkFailure)
    /// The relay has ended: so much was not written to an output that had failed.
    case missed(SinkFailure, Missed)
    /// The output's file was deleted or renamed, and a new one was begun.
    case renewed(name: String)
    /// A file is whole, and nothing more is written to it.
    case recorded(path: String)
    /// Chunks were left out, because the output was too slow.
    case lost(name: String, chunks: UInt64, bytes: UInt64)
}

/// Says how an output failed.
public struct SinkFailure: Hashable, Sendable {
    /// Names the output.
    public var name: String
    /// Says why.
    public var error: ErrorNumber
    /// Counts the outputs that still worked then.
    public var othersLeft: Int

    /// Tells that nobody wants the output any more: its reader has gone (`| head`), or it was closed from the start
    /// (`>&-`), which gives EBADF.
    public var isClosed: Bool { error.rawValue == EPIPE || error.rawValue == EBADF }

    /// Tells that nobody wants anything any more: the only output, or the last, was closed.
    public var isEndOfInterest: Bool { isClosed && othersLeft == 0 }
}

/// Counts what was not written to an output that had failed.
public struct Missed: Hashable, Sendable {
    /// Counts the records, chunks and all others, that the sink wanted.
    public var records: UInt64 = 0
    /// Counts those of them that are chunks.
    public var chunks: UInt64 = 0
    /// Counts the chunks' bytes.
    public var bytes: UInt64 = 0

    /// Adds a record, if a sink with that interest wants it; `length` counts the bytes of a chunk.
    mutating func add(chunkOf length: Int?, for interest: Interest) {
        if let length {
            guard interest >= .chunks else { return }
            chunks += 1
            bytes += UInt64(length)
        }
        records += 1
    }

    /// Adds the records of a batch, its chunks where a sink with that interest wants them.
    mutating func add(_ batch: RecordBatch, for interest: Interest) {
        for record in batch.records {
            if case .forwarded(let chunk) = record.happening {
                add(chunkOf: chunk.length, for: interest)
            } else {
                add(chunkOf: nil, for: interest)
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
