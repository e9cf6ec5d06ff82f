import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Sets up the connections that Hummingbird's server accepts.
///
/// Its own way to a request, over streams that two tasks hand one another, takes twice as long as all of this one.
struct AdminChannel: ServerChildChannel {
    /// Is one client's connection.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let connection: NIOLoopBound<AdminConnection>
    }

    let desk: AdminDesk
    let times: ConnectionGuard.Times
    let places: ConnectionPlaces

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 8 << 10
            limits.maxHeaderListSize = 32 << 10
            limits.maxHeaderFieldCount = 100
            var encoding = HTTPResponseEncoder.Configuration()
            // An answer to HEAD has no body to be framed.
            encoding.automaticallySetFramingHeaders = false
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                withErrorHandling: false,
                // All that comes back of a request in a header is a recording's name, which has plain characters alone.
                withOutboundHeaderValidation: false,
                withEncoderConfiguration: encoding,
                withDecoderLimitConfiguration: limits
            )
            let connection = AdminConnection(desk: desk, executor: LoopExecutor(channel.eventLoop))
            try channel.pipeline.syncOperations.addHandlers(ConnectionGuard(times: times, places: places), connection)
            return Value(channel: channel, connection: NIOLoopBound(connection, eventLoop: channel.eventLoop))
        }
    }

    /// Waits until a connection has ended; when the server ends, lets it answer what it is answering.
    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            try? await value.channel.closeFuture.get()
        } onCancel: {
            value.channel.eventLoop.execute {
                value.connection.value.cancel()
                value.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            }
        }
    }
}
