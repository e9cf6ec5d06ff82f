import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import WeirAdmin

/// Takes the guard through a connection's life on a clock that the test winds.
@Suite("The deadlines of a connection")
struct ConnectionGuardTests {
    private static let request = HTTPServerRequestPart.head(
        HTTPRequestHead(version: .http1_1, method: .GET, uri: "/v1/health")
    )

    /// Keeps what is written until the test lets it go, as the socket of a client does that takes nothing.
    private final class Stall: ChannelOutboundHandler {
        typealias OutboundIn = HTTPServerResponsePart
        var promises: [EventLoopPromise<Void>] = []
        private(set) var written = 0
        private(set) var closed: [CloseMode] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            written += 1
            if let promise { promises.append(promise) }
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            closed.append(mode)
            // The client goes on sending after the last answer.
            if mode == .output { promise?.succeed(()) } else { context.close(mode: mode, promise: promise) }
        }

        func take() {
            let taken = promises
            promises = []
            for promise in taken { promise.succeed(()) }
        }
    }

    private static func connect(_ stall: Stall) throws -> EmbeddedChannel {
        let guardian = ConnectionGuard(times: ConnectionGuard.Times(), limit: ConnectionLimit(bound: 10))
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([stall, guardian])
        try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private static func answer(_ channel: EmbeddedChannel, length: Int?) {
        var response = HTTPResponseHead(version: .http1_1, status: .ok)
        if let length { response.headers.add(name: "content-length", value: "\(length)") }
        channel.write(HTTPServerResponsePart.head(response), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "x"))), promise: nil)
    }

    /// Winds the clock on to just before a time in seconds, and then over it: only then may the connection have ended.
    private static func expectEnd(_ channel: EmbeddedChannel, after seconds: Int64, _ what: Comment) {
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1000 * seconds - 1))
        #expect(channel.isActive, what)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive, what)
    }

    @Test("A request has 15 s to come whole, however it drips")
    func boundsRequests() throws {
        let silent = try Self.connect(Stall())
        Self.expectEnd(silent, after: 15, "nothing came")
        let dripping = try Self.connect(Stall())
        dripping.embeddedEventLoop.advanceTime(by: .seconds(5))
        try dripping.writeInbound(Self.request)
        dripping.embeddedEventLoop.advanceTime(by: .seconds(5))
        try dripping.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: "x")))
        Self.expectEnd(dripping, after: 5, "its end is missing")
    }

    @Test("An answer has 25 s to begin, and 30 s to be taken")
    func boundsAnswers() throws {
        let waiting = try Self.connect(Stall())
        try waiting.writeInbound(Self.request)
        try waiting.writeInbound(HTTPServerRequestPart.end(nil))
        Self.expectEnd(waiting, after: 25, "there was no answer")
        let stall = Stall()
        defer { stall.take() }
        let slow = try Self.connect(stall)
        try slow.writeInbound(Self.request)
        try slow.writeInbound(HTTPServerRequestPart.end(nil))
        Self.answer(slow, length: 1000)
        Self.expectEnd(slow, after: 30, "nothing of the answer was taken")
        // A part that is taken makes the time neither longer nor shorter.
        let part = Stall()
        defer { part.take() }
        let partly = try Self.connect(part)
        try partly.writeInbound(Self.request)
        try partly.writeInbound(HTTPServerRequestPart.end(nil))
        Self.answer(partly, length: 1000)
        partly.embeddedEventLoop.advanceTime(by: .seconds(5))
        part.take()
        partly.embeddedEventLoop.run()
        Self.expectEnd(partly, after: 25, "the rest of the answer was not taken")
    }

    @Test("A stream goes on for as long as its client takes something every 10 s, and a silent one for ever")
    func boundsStreams() throws {
        let stall = Stall()
        defer { stall.take() }
        let channel = try Self.connect(stall)
        try channel.writeInbound(Self.request)
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        Self.answer(channel, length: nil)
        for _ in 0..<5 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(9))
            stall.take()
            channel.embeddedEventLoop.run()
            channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "x"))), promise: nil)
        }
        stall.take()
        channel.embeddedEventLoop.run()
        channel.embeddedEventLoop.advanceTime(by: .seconds(3600 + 9))
        #expect(channel.isActive)
        // The time begins with what is to be taken, not with the silence before it.
        channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "x"))), promise: nil)
        Self.expectEnd(channel, after: 10, "nothing was taken")
    }

    @Test("Who asks is told to go on with a body, but not with one that is too large", arguments: [true, false])
    func tellsToGoOn(isLarge: Bool) throws {
        let stall = Stall()
        defer { stall.take() }
        let channel = try Self.connect(stall)
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/proxies")
        head.headers.add(name: "expect", value: "100-continue")
        head.headers.add(name: "content-length", value: "\(AdminConnection.largestBody + (isLarge ? 1 : 0))")
        try channel.writeInbound(HTTPServerRequestPart.head(head))
        #expect(stall.written == (isLarge ? 0 : 1))
    }

    @Test("After an answer the connection may take the next request, for 15 s")
    func goesOn() throws {
        let stall = Stall()
        defer { stall.take() }
        let channel = try Self.connect(stall)
        for _ in 0..<3 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(14))
            try channel.writeInbound(Self.request)
            try channel.writeInbound(HTTPServerRequestPart.end(nil))
            Self.answer(channel, length: 1)
            channel.write(HTTPServerResponsePart.end(nil), promise: nil)
            stall.take()
            channel.embeddedEventLoop.run()
        }
        Self.expectEnd(channel, after: 15, "nothing more came")
    }

    @Test("A last answer ends what is sent, and then the client has 2 s to end as well")
    func lingers() throws {
        let stall = Stall()
        defer { stall.take() }
        let channel = try Self.connect(stall)
        try channel.writeInbound(Self.request)
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        var head = HTTPResponseHead(version: .http1_1, status: .ok)
        head.headers.add(name: "content-length", value: "0")
        head.headers.add(name: "connection", value: "close")
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.end(nil), promise: nil)
        channel.embeddedEventLoop.run()
        #expect(stall.closed.isEmpty)
        stall.take()
        channel.embeddedEventLoop.run()
        #expect(stall.closed == [.output])
        Self.expectEnd(channel, after: 2, "it went on sending")
        #expect(stall.closed == [.output, .all])
    }

    @Test("A request that came before the last answer was sent has 25 s from then")
    func countsFromLastAnswer() throws {
        let stall = Stall()
        defer { stall.take() }
        let channel = try Self.connect(stall)
        try channel.writeInbound(Self.request)
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        Self.answer(channel, length: 1)
        channel.write(HTTPServerResponsePart.end(nil), promise: nil)
        try channel.writeInbound(Self.request)
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .seconds(14))
        stall.take()
        channel.embeddedEventLoop.run()
        Self.expectEnd(channel, after: 25, "there was no second answer")
    }
}
