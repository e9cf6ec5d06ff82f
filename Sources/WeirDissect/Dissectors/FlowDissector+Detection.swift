// The search for the protocol.
import WeirWire

extension FlowDissector {
    /// Recognises bytes at the start of a chunk, and chooses the dissector.
    mutating func detect(_ bytes: RawSpan, _ side: Int) -> Recognition {
        if let dissector { return detect(bytes, side, beside: type(of: dissector)) }
        var (needed, byPort, hasPort) = (Int.max, -1, false)
        for (index, row) in Dissectors.rows.enumerated() where excluded & 1 << UInt64(index) == 0 {
            guard row.description.transports.contains(transport) else { continue }
            let start = start(of: row.description.ports, side)
            hasPort = hasPort || start.hasPort
            switch row.type.recognize(bytes, start) {
            case .yes:
                choose(index)
                return .yes
            case .maybe: if byPort < 0, start.hasPort { byPort = index }
            case .more(let count): if count > bytes.byteCount { needed = min(needed, count) }
            case .no: break
            }
        }
        if needed < .max, !sides[side].isEnding, transport == .tcp { return .more(needed) }
        guard byPort < 0 else {
            choose(byPort)
            return .maybe
        }
        sides[side].tries &+= 1
        if sides[side].tries >= Self.tryLimit, !hasPort { sides[side].mode = .off }
        return .no
    }

    private mutating func choose(_ index: Int) {
        let row = Dissectors.rows[index]
        dissector = row.type.init()
        chosen = row.description.name
    }

    /// Returns whether bytes begin a message of the flow's protocol.
    func search(_ type: any Dissector.Type, _ bytes: RawSpan, _ side: Int) -> Recognition {
        let start = start(of: type.description.ports, side)
        switch type.recognize(bytes, start) {
        case .yes: return .yes
        // After messages were read, bytes that may be one are one.
        case .maybe: return start.hasPort || readCount(side) > 0 ? .maybe : .no
        case .more(let count) where count > bytes.byteCount:
            return transport == .tcp && !sides[side].isEnding ? .more(count) : .no
        case .more, .no: return .no
        }
    }

    func start(of ports: [UInt16], _ side: Int) -> DissectionStart {
        DissectionStart(
            direction: sides[side].direction,
            transport: transport,
            hasPort: ports.contains(serverPort) || ports.contains(clientPort)
        )
    }
}
