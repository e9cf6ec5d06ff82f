#if Admin
import NIOCore
import NIOHTTP1
import NIOPosix

/// The setup of a listener of the control API, and of the pipeline of each connection that it accepts.
struct AdminChannel: Sendable {
    let handler: any RequestHandler
    let times: ConnectionGuard.Times
    let limit: ConnectionLimit

    /// Listens on an address.
    ///
    /// - Throws: `IOError` if the kernel refuses.
    func listen(_ group: any EventLoopGroup, at address: SocketAddress) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try setUp(channel) } }
            .bind(to: address)
            .get()
    }

    private func setUp(_ channel: any Channel) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8 << 10
        limits.maxHeaderListSize = 32 << 10
        limits.maxHeaderFieldCount = 100
        var encoding = HTTPResponseEncoder.Configuration()
        // An answer to HEAD has no body to be framed.
        encoding.automaticallySetFramingHeaders = false
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withErrorHandling: false,
            // The only part of a request that returns in a header is a recording's name, which has only plain
            // characters.
            withOutboundHeaderValidation: false,
            withEncoderConfiguration: encoding,
            withDecoderLimitConfiguration: limits
        )
        let connection = AdminConnection(handler: handler, executor: LoopExecutor(channel.eventLoop))
        try channel.pipeline.syncOperations.addHandlers(ConnectionGuard(times: times, limit: limit), connection)
    }
}
#endif
