import WeirEngine
import WeirWire

/// The terminal's form of the effects of toxics.
extension ByteBuffer {
    /// Appends what toxics did to a chunk that went on: `  held 100.210 ms, replaced (3 bytes) @40 by 'bye'`.
    ///
    /// - Parameters:
    ///   - chunk: the chunk.
    ///   - moment: the time at which it went on.
    mutating func appendToxics(of chunk: ChunkRecord, at moment: Moment) {
        guard chunk.isTampered else { return }
        append("  held ")
        appendDuration(chunk.receivedAt.duration(to: moment.instant))
        for change in chunk.changes {
            append(", ")
            append(change.kind.rawValue)
            append(" ")
            appendCount(UInt64(change.count), change.kind.noun)
            if change.kind.hasPlace {
                append(" @")
                appendDecimal(chunk.offset &+ UInt64(max(0, change.offset)))
            }
            append(" by ")
            appendName(change.toxic)
        }
    }

    /// Appends what a toxic did to a flow: `toxic 'latency_downstream' acts`.
    mutating func appendToxic(_ toxic: ToxicRecord) {
        append("toxic ")
        appendName(toxic.name)
        switch toxic.effect {
        case .met(let acts): append(acts ? " acts" : " does not act, by its toxicity")
        case .changed(let acts): append(acts ? " changed, and acts" : " changed, and does not act, by its toxicity")
        case .removed: append(" removed")
        case .closed: append(" ends the flow")
        case .reset: append(" resets both sides")
        }
    }

    private mutating func appendName(_ name: String) { append(ToxicRecord.quoted(name)) }
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
