import WeirEngine
import WeirWire

/// How often calls were left to the kernel, by the reason.
struct UntouchedCounts {
    private var counts: [Obstacle: Int] = [:]

    mutating func count(_ obstacle: Obstacle) { counts[obstacle, default: 0] += 1 }

    /// Reports what was not watched, in one line; nothing if that is what the user asked for.
    func report(_ report: (String) -> Void) {
        let parts = Obstacle.allCases.compactMap { obstacle -> String? in
            guard !obstacle.isWanted, let count = counts[obstacle] else { return nil }
            return "\(count) \(obstacle.rawValue)"
        }
        guard !parts.isEmpty else { return }
        report("not watched, calls on sockets: \(parts.joined(separator: "; "))")
    }
}

/// How often the program wanted to go where `--deny` forbids it, by the destination.
struct DeniedCounts {
    private static let (kept, shown) = (1024, 8)

    private struct Key: Hashable {
        var transport: Transport
        var endpoint: Endpoint
    }

    private var counts: [Key: Int] = [:]
    /// The destinations in the order of their first refusal.
    private var order: [Key] = []
    private var others = 0

    mutating func count(_ transport: Transport, _ endpoint: Endpoint) {
        let key = Key(transport: transport, endpoint: endpoint)
        if let count = counts[key] {
            counts[key] = count + 1
        } else if order.count < Self.kept {
            counts[key] = 1
            order.append(key)
        } else {
            others += 1
        }
    }

    /// Reports the first destinations, in one line; nothing if there were none.
    func report(_ report: (String) -> Void) {
        guard !order.isEmpty else { return }
        var parts = order.prefix(Self.shown).map { key in
            let count = counts[key] ?? 0
            return "\(key.transport) \(key.endpoint)\(count > 1 ? " (\(count) times)" : "")"
        }
        let more = order.count - parts.count
        if more > 0 { parts.append("\(more)\(others > 0 ? " or more" : "") other destination\(more == 1 ? "" : "s")") }
        report("denied by --deny: \(parts.joined(separator: ", "))")
    }
}
