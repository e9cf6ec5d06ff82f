#if Admin
import NIOCore
import NIOHTTP1

/// A guard that limits one client's connection: the time for a whole request, the time for an answer, and its place.
///
/// Source: RFC 9112 section 9.5 and 9.6: a server may close a connection that it deems idle, and does so in stages, so
/// that an answer is not lost to a reset.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The time limits.
    struct Times: Sendable {
        /// The limit for a whole request to arrive, from the beginning of the connection or the last answer.
        var request = TimeAmount.seconds(15)
        /// The limit from a whole request to the head of its answer.
        var handling = TimeAmount.seconds(25)
        /// The limit for the client to take a whole answer.
        var answer = TimeAmount.seconds(30)
        /// The limit for a client to take nothing of a stream.
        var progress = TimeAmount.seconds(10)
        /// The limit for a client to go on sending after its last answer.
        var lingering = TimeAmount.seconds(2)

        init() {}
    }

    private enum Stage {
        case reading, handling, answering, streaming, lingering
    }

    private let times: Times
    private let limit: ConnectionLimit
    private var stage = Stage.reading
    /// The time at which the stage must be over.
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    /// The time at which the timer fires.
    private var due = NIODeadline.distantFuture
    private var unwritten = 0
    /// Whether a request has arrived completely, and its answer has not begun.
    private var isAsked = false
    private var closes = false
    /// Whether the connection has ended: its event loop may be gone too.
    private var hasEnded = false
    private(set) var isWaiting = true

    init(times: Times, limit: ConnectionLimit) {
        self.times = times
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        limit.enter(self, context)
        enter(.reading, context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that sends nothing more still gets its answer.
        if case .inputClosed? = event as? ChannelEvent {
            if stage == .reading { context.close(promise: nil) } else { closes = true }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        hasEnded = true
        timer?.cancel()
        limit.leave(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isWaiting = false
            // A client that announces too much gets an error instead of 100 Continue.
            if head.headers.first(name: "expect")?.lowercased() == "100-continue", !head.announcesTooMuch {
                let goOn = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
            }
        case .body: break
        case .end:
            isAsked = true
            if stage == .reading { enter(.handling, context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var isLast = false
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.code >= 200:
            isAsked = false
            closes = closes || head.headers.first(name: "connection") == "close"
            let isStream = head.status == .ok && !head.headers.contains(name: "content-length")
            enter(isStream ? .streaming : .answering, context)
        case .head, .body: break
        case .end: isLast = true
        }
        guard isLast || stage == .streaming else { return context.write(data, promise: promise) }
        // The client's time starts here, however long there was nothing to write before.
        if stage == .streaming, unwritten == 0 { enter(.streaming, context) }
        unwritten += 1
        let done = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        done.futureResult.whenComplete { [isLast] _ in
            let (me, context) = bound.value
            me.wrote(context, isLast)
        }
        context.write(data, promise: done)
    }

    private func wrote(_ context: ChannelHandlerContext, _ isLast: Bool) {
        unwritten -= 1
        guard !hasEnded, context.channel.isActive else { return }
        if isLast {
            if closes {
                context.close(mode: .output, promise: nil)
                return enter(.lingering, context)
            }
            // The next request may have been let in before the answer was sent.
            isWaiting = !isAsked
            return enter(isAsked ? .handling : .reading, context)
        }
        if stage == .streaming { enter(.streaming, context) }
    }

    private func enter(_ stage: Stage, _ context: ChannelHandlerContext) {
        self.stage = stage
        let time =
            switch stage {
            case .reading: times.request
            case .handling: times.handling
            case .answering: times.answer
            case .streaming: times.progress
            case .lingering: times.lingering
            }
        deadline = context.eventLoop.now + time
        // A timer that fires too early is scheduled again: most stages end long before their limit.
        if timer == nil || deadline < due { schedule(context) }
    }

    private func schedule(_ context: ChannelHandlerContext) {
        timer?.cancel()
        due = deadline
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: due) {
            let (me, context) = bound.value
            me.expire(context)
        }
    }

    private func expire(_ context: ChannelHandlerContext) {
        timer = nil
        guard deadline <= due else { return schedule(context) }
        // A stream with nothing to send is not waiting for the client.
        if stage == .streaming, unwritten == 0 { return enter(.streaming, context) }
        context.close(promise: nil)
    }
}

/// A limit on connections: a further one takes the place of the one that has waited longest for a request.
///
/// It is confined to the event loop of the API, like the guards.
final class ConnectionLimit: @unchecked Sendable {
    private let bound: Int
    private var guards: [(handler: ConnectionGuard, context: ChannelHandlerContext)] = []

    init(bound: Int) {
        self.bound = bound
    }

    func enter(_ handler: ConnectionGuard, _ context: ChannelHandlerContext) {
        guards.append((handler, context))
        guard guards.count > bound else { return }
        let index = guards.firstIndex { $0.handler.isWaiting } ?? guards.count - 1
        guards.remove(at: index).context.close(promise: nil)
    }

    func leave(_ handler: ConnectionGuard) { guards.removeAll { $0.handler === handler } }

    /// Ends all connections: each first completes its current answer, if that is possible now.
    ///
    /// - Returns: a future for each, which succeeds after the connection has closed.
    func end() -> [EventLoopFuture<Void>] {
        let contexts = guards.map(\.context)
        let closed = contexts.map(\.channel.closeFuture)
        for context in contexts {
            // First to the handler that answers: the other end of the pipeline may close at once.
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            context.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        return closed
    }
}
#endif
