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
