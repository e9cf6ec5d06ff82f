import CWeir
import Synchronization
import WeirEngine
import WeirWire

/// A client that has not said yet what it must say before its flow begins.
final class OpeningClient {
    let accepted: AcceptedConnection
    let token: Token
    var leg: Leg
    var opening: any Opening
    /// The number of bytes that the client has sent.
    var length = 0
    /// The error of the last dial that failed, once its flow has begun.
    var failure: ErrorNumber?

    init(_ accepted: AcceptedConnection, _ opening: any Opening, _ slot: Slot) {
        self.accepted = accepted
        leg = Leg(accepted.socket.take())
        self.opening = opening
        token = Token(.opening, place: slot.place, generation: slot.generation)
    }
}

/// The openings of TCP's flows: what a client says is read here, until its target is known.
///
/// A client that is refused here has no flow, and so no record: a line on standard error names it.
extension TCPCarrier {
    /// The maximum number of bytes of an opening.
    private static let longestOpening = 64 << 10

    /// Hears what a client says before its flow begins.
    func open(_ accepted: AcceptedConnection, _ opening: any Opening) {
        let slot = openings.reserve()
        let client = OpeningClient(accepted, opening, slot)
        openings.put(client, at: slot)
        do {
            try client.leg.watch(in: loop, client.token)
        } catch {
            return refuse(client, "\(error)")
        }
        let timeout = loop.shared.configuration.connectTimeout
        loop.timers.insert(client.token, due: loop.now().instant.advanced(by: timeout))
    }

    /// Handles epoll's events for a client in its opening.
    func handleOpening(_ events: UInt32, _ token: Token) {
        guard let client = openings[token] else { return }
        _ = client.leg.note(events)
        while client.leg.isReadable {
            switch client.leg.read(into: readBuffer) {
            case .bytes(let count, _):
                guard hear(client, UnsafeRawBufferPointer(rebasing: readBuffer[..<count])) else { return }
            case .wouldBlock: return
            case .end: return refuse(client, "it closed the connection before its request was complete")
            case .failed(let error): return refuse(client, error.description)
            }
        }
    }

    /// Ends an opening that takes too long.
    func openingIsLate(_ token: Token) {
        guard let client = openings[token] else { return }
        refuse(client, "its request was not complete in \(loop.shared.configuration.connectTimeout)")
    }

    /// Takes a piece of what a client says; returns whether it must say more.
    private func hear(_ client: OpeningClient, _ bytes: UnsafeRawBufferPointer) -> Bool {
        client.length += bytes.count
        switch client.opening.receive(bytes.bytes) {
        case .waits(let answer):
            guard client.length <= Self.longestOpening else {
                refuse(client, "its request is longer than \(Self.longestOpening) bytes")
                return false
            }
            return self.answer(client, answer)
        case .opened(let opened, let answer):
            if self.answer(client, answer) { begin(client, opened, bytes) }
        case .refused(let reason, let answer):
            if self.answer(client, answer) { refuse(client, reason) }
        }
        return false
    }

    private func answer(_ client: OpeningClient, _ answer: [UInt8]) -> Bool {
        guard !answer.isEmpty else { return true }
        let (count, error) = answer.withUnsafeBytes { client.leg.write($0) }
        guard count == answer.count else {
            refuse(client, error?.description ?? "it does not read the answer to its request")
            return false
        }
        return true
    }

    /// Begins the flow of a client that has said where it wants to go.
    private func begin(_ client: OpeningClient, _ opened: OpenedClient, _ bytes: UnsafeRawBufferPointer) {
        let route = client.accepted.route
        let target = opened.target.map { loop.shared.target($0, over: .tcp) } ?? loop.shared.targets[route]
        guard let target else { return refuse(client, "its request names no target") }
        openings.remove(at: client.token.place)
        var accepted = client.accepted
        accepted.client = opened.client ?? accepted.client
        let connection = add(accepted, client.leg.take(), target: target)
        connection.legs.opening = client
        guard watchClient(of: connection) else { return }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[min(opened.taken, bytes.count)...])
        if !rest.isEmpty { host.dispatch(connection, .received(.upstream), Arrival(bytes: rest)) }
        host.begin(connection)
    }

    private func refuse(_ client: OpeningClient, _ reason: String) {
        let (listener, peer) = (client.accepted.listener, client.accepted.client)
        loop.shared.refusals.tell(
            "tcp \(listener): the client \(peer) is refused: \(reason)",
            of: "opening \(listener)"
        )
        close(client)
    }

    private func close(_ client: OpeningClient) {
        client.leg.close()
        openings.remove(at: client.token.place)
        loop.shared.loops[loop.index].flows.subtract(1, ordering: .relaxed)
        loop.shared.releaseFlow()
    }

    /// Closes the connections of clients in their openings.
    func closeOpenings(where isClosed: (OpeningClient) -> Bool) {
        for client in openings.all where isClosed(client) { close(client) }
    }
}
