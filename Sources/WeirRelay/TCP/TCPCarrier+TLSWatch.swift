#if TLS
import WeirDissect
import WeirEngine
import WeirTLS
import WeirWire

/// Flows that may turn out to speak TLS (`auto`).
extension TCPCarrier {
    /// Looks at a chunk of a flow that may speak TLS; returns whether it was taken, and does not go on now.
    func watch(_ bytes: UnsafeRawBufferPointer, _ connection: TCPConnection, _ direction: Direction) -> Bool {
        guard let verdict = connection.legs.watch?.take(bytes.bytes, direction) else { return false }
        defer { if connection.legs.watch?.isOver == true { connection.legs.watch = nil } }
        switch verdict {
        case .passes: return false
        case .holds:
            connection.flow.touch(at: loop.now().instant)
            if connection.legs.heldUntil == nil {
                let deadline = securingTimes.deadline
                connection.legs.heldUntil = deadline
                loop.timers.insert(connection.token(.flowTimer), due: deadline)
            }
            return true
        case .releases(let held):
            connection.legs.heldUntil = nil
            connection.legs.client.giveBack(held)
            return direction == .upstream
        case .splits(let count):
            connection.legs.client.giveBack(bytes[count...])
            let first = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            if !watch(first, connection, direction) { forward(first, connection, direction, isLast: false) }
            return true
        case .begins(let gate, let hello):
            connection.legs.heldUntil = nil
            begin(gate, hello, connection)
            return true
        }
    }

    private func begin(_ gate: HelloGate, _ hello: ClientHello, _ connection: TCPConnection) {
        guard let services = loop.shared.tls, let plain = connection.legs.watch?.plain else { return }
        let (now, deadline) = securingTimes
        let securing = Securing(
            loop.shared.targets.security(of: connection.route).resolved(isTLS: true),
            services,
            targetName: loop.shared.targets[connection.route]?.name,
            at: now,
            until: deadline,
            with: gate,
            hello,
            after: plain
        )
        start(securing, connection)
        secure(connection)
    }

    /// Lets the bytes go on that were held, because nothing follows them.
    func releaseHeld(_ connection: TCPConnection, _ direction: Direction) {
        guard direction == .upstream, let held = connection.legs.watch?.release(), !held.isEmpty else { return }
        connection.legs.heldUntil = nil
        held.withUnsafeBytes { forward($0, connection, .upstream, isLast: false) }
    }

    /// Lets the bytes go on that were held too long to be a ClientHello.
    func heldIsLate(_ connection: TCPConnection) {
        guard let until = connection.legs.heldUntil, loop.now().instant >= until else { return }
        connection.legs.heldUntil = nil
        connection.legs.client.giveBack(connection.legs.watch?.release() ?? [])
        markReady(connection)
    }
}
#endif
