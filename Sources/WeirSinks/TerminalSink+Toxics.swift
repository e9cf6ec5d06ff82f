import WeirEngine
import WeirWire

/// The terminal's form of the effects of toxics.
extension ByteBuffer {
    /// Appends what toxics did to a chunk that went on: `held 0.10 s, replaced 3 bytes @40 by 'bye'`.
    ///
    /// - Parameters:
    ///   - chunk: the chunk.
    ///   - moment: the time at which it went on.
    /// - Returns: whether they did anything that can be told.
    mutating func appendToxics(of chunk: ChunkRecord, at moment: Moment) -> Bool {
        let start = count
        let held = chunk.receivedAt.duration(to: moment.instant)
        if held >= .microseconds(100) {
            append("held ")
            appendBrief(held)
        }
        for change in chunk.changes {
            if count > start { append(", ") }
            append(change.kind.rawValue)
            append(" ")
            appendCount(UInt64(change.count), change.kind.noun)
            if change.kind.hasPlace {
                append(" @")
                appendDecimal(chunk.offset &+ UInt64(max(0, change.offset)))
            }
            append(" by ")
            append(ToxicRecord.quoted(change.toxic))
        }
        return count > start
    }

    /// Appends what a toxic did to a flow: `toxic 'latency_downstream' removed`.
    mutating func appendToxic(_ toxic: ToxicRecord) {
        append("toxic ")
        append(ToxicRecord.quoted(toxic.name))
        switch toxic.effect {
        case .met(let acts): append(acts ? " acts" : " does not act, by its toxicity")
        case .changed(let acts): append(acts ? " changed, and acts" : " changed, and does not act, by its toxicity")
        case .removed: append(" removed")
        case .closed: append(" ends the flow")
        case .reset: append(" resets both sides")
        }
    }
}

extension ToxicChange.Kind {
    /// The noun for what is counted.
    var noun: StaticString {
        switch self {
        case .replaced, .cut: "byte"
        case .flipped: "bit"
        case .sliced: "piece"
        case .duplicated, .reordered: "datagram"
        }
    }

    /// Whether the change has a place in the chunk.
    var hasPlace: Bool {
        switch self {
        case .replaced, .flipped, .cut: true
        case .sliced, .duplicated, .reordered: false
        }
    }
}
