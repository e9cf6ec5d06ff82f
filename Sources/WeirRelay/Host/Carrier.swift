import WeirEngine
import WeirWire

/// What brings a transport's events to the flows of one loop, and begins flows.
protocol Carrier: AnyObject {
    /// Starts to listen for the clients of one more route.
    func add(_ socket: Listening) throws(SystemError)
    /// Stops listening for the clients of a route.
    func unlisten(_ route: Int)
}

/// A connection that was accepted, on its way to the loop where it will live.
struct AcceptedConnection: Sendable {
    var socket: SentDescriptor
    var client: Endpoint
    var listener: Endpoint
    var route: Int
    /// The server's end, if it is connected already.
    var server: SentDescriptor?
}

/// A dial for a watched program that failed before there was a flow: nothing is left of it but its record.
final class FailedDial: Sendable {
    /// The client, with port 0: its socket was never connected.
    let client: Endpoint
    /// The endpoint that the program asked for.
    let asked: Endpoint
    /// The endpoint that was dialed.
    let server: Endpoint
    /// The relay's own endpoint of the dial; nil if it got none.
    let egress: Endpoint?
    let error: ErrorNumber
    /// Whether nothing was dialed, because the program may not reach the destination.
    let isDenied: Bool
    let route: Int
    let process: ClientProcess?

    init(
        asked: Endpoint,
        server: Endpoint,
        egress: Endpoint?,
        _ error: ErrorNumber,
        isDenied: Bool,
        route: Int,
        _ process: ClientProcess?
    ) {
        client = Endpoint(address: egress?.address ?? (asked.address.isV4 ? .anyV4 : .anyV6), port: 0)
        (self.asked, self.server, self.egress, self.error) = (asked, server, egress, error)
        (self.isDenied, self.route, self.process) = (isDenied, route, process)
    }
}
