import WeirEngine
import WeirWire

/// The keys of JSON lines for the effects of toxics.
extension ByteBuffer {
    /// Appends the keys of a chunk that toxics had: `held_ns`, and `toxics` with their changes.
    ///
    /// - Parameters:
    ///   - chunk: the chunk.
    ///   - moment: the time at which it went on.
    mutating func appendToxicKeys(of chunk: ChunkRecord, at moment: Moment) {
        guard chunk.isTampered else { return }
        append(",\"held_ns\":")
        appendDecimal(chunk.receivedAt.duration(to: moment.instant).inNanoseconds)
        guard !chunk.changes.isEmpty else { return }
        append(",\"toxics\":[")
        for (index, change) in chunk.changes.enumerated() {
            append(index == 0 ? "{\"toxic\":" : ",{\"toxic\":")
            appendJSON(change.toxic)
            append(",\"change\":\"")
            append(change.kind.rawValue)
            append("\",\"count\":")
            appendDecimal(change.count)
            if change.kind.hasPlace {
                append(",\"offset\":")
                appendDecimal(chunk.offset &+ UInt64(max(0, change.offset)))
            }
            append("}")
        }
        append("]")
    }

    /// Appends the keys of a toxic's effect on a flow: `toxic`, `type`, `effect`, and `acts` if it was drawn.
    mutating func appendToxicKeys(_ toxic: ToxicRecord) {
        append(",\"toxic\":")
        appendJSON(toxic.name)
        append(",\"type\":")
        appendJSON(toxic.type)
        switch toxic.effect {
        case .met(let acts): append(acts ? ",\"effect\":\"met\",\"acts\":true" : ",\"effect\":\"met\",\"acts\":false")
        case .changed(let acts):
            append(acts ? ",\"effect\":\"changed\",\"acts\":true" : ",\"effect\":\"changed\",\"acts\":false")
        case .removed: append(",\"effect\":\"removed\"")
        case .closed: append(",\"effect\":\"closed\"")
        case .reset: append(",\"effect\":\"reset\"")
        }
    }
}
