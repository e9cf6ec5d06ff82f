#if Admin
import NIOCore
import NIOHTTP1
import WeirWire

/// The handler that answers the requests of one client, one after the other.
///
/// The handler before it lets the next request in after the last one was answered. A request is handled on the event
/// loop's thread from the start, so most answers are written before the read that brought the request returns.
final class AdminConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The maximum size of a request's body, in bytes.
    static let largestBody = 1 << 20

    private let handler: any RequestHandler
    private let executor: LoopExecutor
    /// The request that is being received; nil between two requests, and if it is not wanted any more.
    private var request: AdminRequest?
    /// Whether the request that is being received is HEAD, whose answer has no body, even if it is a refusal.
    private var isToHead = false
    private var version = HTTPVersion.http1_1
    private var keepsAlive = true
    private var task: Task<Void, Never>?
    /// Whether a request is being handed on right now, further down the stack.
    private var isAsking = false

    init(handler: any RequestHandler, executor: LoopExecutor) {
        self.handler = handler
        self.executor = executor
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The current answer ends as soon as it can.
        if event is ChannelShouldQuiesceEvent { task?.cancel() }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: - Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let bytes): take(bytes, context)
        case .end:
            isToHead = false
            guard let request else { return }
            self.request = nil
            ask(request, context)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        // No request follows the last one (RFC 9112 section 9.6).
        guard keepsAlive else { return }
        version = head.version
        keepsAlive = head.isKeepAlive
        isToHead = head.method == .HEAD
        guard let begun = AdminRequest(head) else {
            return refuse(.problem(400, "the request's target is no path"), context)
        }
        // The body of a request that is not let in is not even read.
        if let refusal = handler.refusal(of: begun) { return refuse(refusal, context) }
        guard !head.announcesTooMuch else { return refuse(Self.tooLarge, context) }
        request = begun
    }

    private func take(_ bytes: NIOCore.ByteBuffer, _ context: ChannelHandlerContext) {
        guard let count = request?.body.count else { return }
        guard count + bytes.readableBytes <= Self.largestBody else { return refuse(Self.tooLarge, context) }
        request?.body += bytes.readableBytesView
    }

    private static let tooLarge = AdminAnswer.problem(413, "a body may have \(largestBody) bytes at most")

    /// Answers a request that is not read to its end, and no further ones of this client.
    private func refuse(_ answer: AdminAnswer, _ context: ChannelHandlerContext) {
        request = nil
        keepsAlive = false
        write(answer, isHead: isToHead, context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else { return context.close(promise: nil) }
        guard keepsAlive || request != nil else { return }
        let reason = "this is no request of HTTP/1.1, or its header has more than 100 fields or 32 KiB"
        refuse(.problem(400, reason), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A stream has no receiver any more; any other request is completed.
        if isStreaming { task?.cancel() }
        context.fireChannelInactive()
    }

    // MARK: - Answering

    private var isStreaming = false

    private func ask(_ request: AdminRequest, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // Each answer lets the next request in at once: many pipelined requests must not pile up on the stack.
        guard !isAsking else { return context.eventLoop.execute { bound.value.0.ask(request, bound.value.1) } }
        isAsking = true
        defer { isAsking = false }
        task = executor.start { [handler] in
            let answer = await handler.answer(request)
            let (connection, context) = bound.value
            let isHead = request.method == "HEAD"
            connection.write(answer, isHead: isHead, context)
            guard case .stream(let body) = answer.body, !isHead else { return }
            do {
                try await body(StreamWriter(bound))
                bound.value.0.end(bound.value.1)
            } catch {
                // An incomplete answer must not look complete.
                bound.value.1.close(promise: nil)
            }
        }
    }

    /// Writes a whole answer, or the head of a stream.
    private func write(_ answer: AdminAnswer, isHead: Bool, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders(answer.headers)
        if !keepsAlive { headers.add(name: "connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: answer.status, reasonPhrase: StatusText.phrase(of: answer.status))
        switch answer.body {
        case .bytes(let bytes):
            if answer.status != 204 { headers.add(name: "content-length", value: "\(bytes.count)") }
            write(.head(HTTPResponseHead(version: version, status: status, headers: headers)), context)
            if !isHead, !bytes.isEmpty { write(.body(.byteBuffer(NIOCore.ByteBuffer(bytes: bytes))), context) }
            end(context)
        case .stream:
            // For a client of HTTP/1.0, the end of the connection is the end of the answer.
            let isChunked = (version.major, version.minor) >= (1, 1)
            if isChunked, !isHead { headers.add(name: "transfer-encoding", value: "chunked") }
            if !isChunked, keepsAlive {
                keepsAlive = false
                headers.add(name: "connection", value: "close")
            }
            write(.head(HTTPResponseHead(version: version, status: status, headers: headers)), context)
            if isHead { end(context) } else { isStreaming = true }
        }
    }

    private func write(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(part), promise: nil)
    }

    private func end(_ context: ChannelHandlerContext) {
        isStreaming = false
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// A writer of the parts of a stream.
    private struct StreamWriter: AnswerWriter {
        private let bound: NIOLoopBound<(AdminConnection, ChannelHandlerContext)>

        init(_ bound: NIOLoopBound<(AdminConnection, ChannelHandlerContext)>) {
            self.bound = bound
        }

        func write(_ bytes: [UInt8]) async throws {
            try Task.checkCancellation()
            let taken = begin(bytes)
            // When the relay ends, it does not wait for a client that takes nothing.
            try await withTaskCancellationHandler {
                try await taken.futureResult.get()
            } onCancel: {
                taken.fail(CancellationError())
            }
        }

        private func begin(_ bytes: [UInt8]) -> EventLoopPromise<Void> {
            let (connection, context) = bound.value
            let taken = context.eventLoop.makePromise(of: Void.self)
            let part = HTTPServerResponsePart.body(.byteBuffer(NIOCore.ByteBuffer(bytes: bytes)))
            context.writeAndFlush(connection.wrapOutboundOut(part), promise: taken)
            return taken
        }
    }
}

extension HTTPRequestHead {
    /// Whether the announced body is larger than allowed.
    var announcesTooMuch: Bool {
        (headers.first(name: "content-length").flatMap { Int($0) } ?? 0) > AdminConnection.largestBody
    }
}

extension AdminRequest {
    /// Reads a request's head; nil if its target is not a path.
    fileprivate init?(_ head: HTTPRequestHead) {
        let (slash, mark) = (UInt8(ascii: "/"), UInt8(ascii: "?"))
        let target = head.uri.utf8
        guard target.first == slash, target.dropFirst().first != slash else { return nil }
        let parts = target.split(separator: mark, maxSplits: 1, omittingEmptySubsequences: false)
        self.init(
            method: head.method.rawValue,
            path: parts[0].dropFirst().split(separator: slash, omittingEmptySubsequences: false).map { Substring($0) },
            query: parts.count > 1 ? PercentText.query(Substring(parts[1])) : [],
            headers: head.headers.map { ($0.name.lowercased(), $0.value) }
        )
    }
}
#endif
