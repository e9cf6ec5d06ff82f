// Each direction of a stream is recognised separately: a client and a server may speak different protocols.
import WeirWire

extension FlowDissector {
    /// Recognises bytes at the start of a chunk, if the flow has a dissector.
    ///
    /// Until a direction has a message, it gets a dissector of its own for bytes that are certainly another protocol,
    /// and for bytes that the flow's dissector refuses and that may be the protocol of the port.
    mutating func detect(_ bytes: RawSpan, _ side: Int, beside type: any Dissector.Type) -> Recognition {
        if sides[side].isApart, let apart { return search(Swift.type(of: apart), bytes, side) }
        let found = sides[side].isRefused ? Recognition.no : search(type, bytes, side)
        guard transport == .tcp, sides[side].messages == 0, found != .yes, sides[side].tries < Self.tryLimit,
            !sides[1 &- side].isApart
        else { return found }
        var (needed, byPort) = (Int.max, -1)
        for (index, row) in Dissectors.rows.enumerated() where excluded & 1 << UInt64(index) == 0 {
            guard row.type != type, row.description.transports.contains(transport) else { continue }
            let start = start(of: row.description.ports, side)
            switch row.type.recognize(bytes, start) {
            case .yes: return setApart(index, side, .yes)
            case .maybe: if byPort < 0, start.hasPort { byPort = index }
            case .more(let count): if count > bytes.byteCount { needed = min(needed, count) }
            case .no: break
            }
        }
        guard found == .no else { return found }
        if needed < .max, !sides[side].isEnding { return .more(needed) }
        if byPort >= 0 { return setApart(byPort, side, .maybe) }
        sides[side].tries &+= 1
        sides[side].isRefused = false
        return .no
    }

    private mutating func setApart(_ index: Int, _ side: Int, _ found: Recognition) -> Recognition {
        let row = Dissectors.rows[index]
        apart = row.type.init()
        chosenApart = row.description.name
        sides[side].isApart = true
        return found
    }

    /// Runs one step of a direction's dissector.
    @inline(__always)
    mutating func parse(_ bytes: RawSpan, _ place: MessagePlace, _ side: Int) -> DissectionStep {
        guard sides[side].isApart else { return dissector?.parse(bytes, place, into: &sides[side].message) ?? .giveUp }
        return apart?.parse(bytes, place, into: &sides[side].message) ?? .giveUp
    }

    /// Returns the number of messages that the dissector of a direction has read.
    func readCount(_ side: Int) -> Int {
        sides[side].messages &+ (sides[side].isApart || sides[1 &- side].isApart ? 0 : sides[1 &- side].messages)
    }

    /// Starts the search for a separate dissector for a direction on which the other direction's dissector gave up.
    mutating func refuse(_ side: Int) {
        loseState(side)
        reset(side)
        sides[side].isRefused = true
    }

    /// Excludes the dissector of a direction, and starts the search for another one.
    ///
    /// The dissector of a direction that is apart takes over the flow; the other direction is recognised again.
    mutating func giveUp(_ side: Int) {
        let wrong = sides[side].isApart ? apart : dissector
        if let wrong, let index = Dissectors.rows.firstIndex(where: { $0.type == type(of: wrong) }) {
            excluded |= 1 << UInt64(index)
        }
        if sides[side].isApart {
            apart = nil
            sides[side].isApart = false
            return reset(side)
        }
        let other = 1 &- side
        dissector = apart
        chosen = chosenApart
        apart = nil
        reset(side)
        if sides[other].isApart { sides[other].isApart = false } else { reset(other) }
    }

    private mutating func reset(_ side: Int) {
        sides[side].message.removeAll()
        sides[side].need = 1
        sides[side].passing = 0
        sides[side].endsBehind = false
        sides[side].isRest = false
        if sides[side].mode != .off { sides[side].mode = .detecting }
    }
}
