import WeirEngine
import WeirWire

/// The members of JSON lines for the effects of toxics.
extension JSONWriter {
    /// Appends the members of a chunk that toxics had: `held_ns`, and `toxics` with their changes.
    ///
    /// - Parameters:
    ///   - chunk: the chunk.
    ///   - moment: the time at which it went on.
    mutating func appendToxicMembers(of chunk: ChunkRecord, at moment: Moment) {
        guard chunk.isTampered else { return }
        member("held_ns", chunk.receivedAt.duration(to: moment.instant).inNanoseconds)
        guard !chunk.changes.isEmpty else { return }
        array("toxics") { json in
            for change in chunk.changes {
                json.object { json in
                    json.member("toxic", change.toxic)
                    json.member("change", change.kind.rawValue)
                    json.member("count", change.count)
                    guard change.kind.hasPlace else { return }
                    json.member("offset", chunk.offset &+ UInt64(max(0, change.offset)))
                }
            }
        }
    }

    /// Appends the members of a toxic's effect on a flow: `toxic`, `type`, `effect`, and `acts` if it was drawn.
    mutating func appendToxicMembers(_ toxic: ToxicRecord) {
        member("toxic", toxic.name)
        member("type", toxic.type)
        switch toxic.effect {
        case .met(let acts):
            member("effect", "met")
            member("acts", acts)
        case .changed(let acts):
            member("effect", "changed")
            member("acts", acts)
        case .removed: member("effect", "removed")
        case .closed: member("effect", "closed")
        case .reset: member("effect", "reset")
        }
    }
}
