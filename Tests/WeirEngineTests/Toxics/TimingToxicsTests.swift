import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("Toxics that delay")
struct TimingToxicsTests {
    private func connected(
        _ transport: Transport,
        _ configurations: ToxicConfiguration...
    ) throws -> Playbook {
        .connected(transport, set: try ToxicSet(configurations, for: transport))
    }

    @Test("Latency delays each chunk from its own arrival on")
    func latency() throws {
        var flow = try connected(.tcp, .init("latency", .upstream, attributes: ["latency": .int(100)]))
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(60))
        flow(.received(.upstream), "two", gives: .arrived(.upstream, 1, at: 3, 3))
        flow.advance(by: .milliseconds(40))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 3), .sendQueued(.upstream), .wake(at: .milliseconds(160)))
        flow(.sent(.upstream, 3))
        flow.advance(by: .milliseconds(60))
        flow(
            .wake,
            gives: .letGo(.upstream, 1, at: 3, 3, receivedAt: .milliseconds(60)),
            .sendQueued(.upstream)
        )
    }

    @Test("Bandwidth lets pieces go when the link has sent them, and nothing is rounded away")
    func bandwidth() throws {
        var run = try ChainRun([.init("bandwidth", .upstream, attributes: ["rate": .int(7)])], over: .tcp)
        run.push([UInt8](repeating: 1, count: 700))
        run.push([UInt8](repeating: 2, count: 7))
        for _ in 0..<200 { run.advance(by: .milliseconds(1)) }
        // 7,000 bytes a second; the first 707 take 101 ms.
        #expect(run.bytes.count == 707)
        #expect(run.chunks.allSatisfy { $0.bytes.count <= 140 })
        var bytes = 0
        for chunk in run.chunks {
            bytes += chunk.bytes.count
            let due = ManualClock.start.instant.duration(to: chunk.due)
            #expect(due == .nanoseconds(Int64(bytes) * 1_000_000 / 7))
        }
    }

    @Test("Bandwidth adds up no rounding, however small the chunks", arguments: [3, 7, 13, 999])
    func bandwidthRounding(rate: Int) throws {
        var run = try ChainRun([.init("bandwidth", .upstream, attributes: ["rate": .int(rate)])], over: .udp)
        // A second's worth of bytes, one and ten at a time: neither divides a second at this rate.
        var left = rate * 1000
        while left > 0 {
            let size = min(left, left % 2 == 0 ? 1 : 10)
            run.push([UInt8](repeating: 1, count: size))
            left -= size
        }
        run.advance(by: .seconds(1) - .nanoseconds(1))
        #expect(run.bytes.count < rate * 1000)
        run.advance(by: .nanoseconds(1))
        #expect(run.bytes.count == rate * 1000)
    }

    @Test("Bandwidth keeps a datagram whole, and lets it go when the link has sent it")
    func datagrams() throws {
        var run = try ChainRun([.init("bandwidth", .upstream, attributes: ["rate": .int(1)])], over: .udp)
        run.push([UInt8](repeating: 1, count: 100))
        run.push([UInt8](repeating: 2, count: 50))
        run.advance(by: .milliseconds(99))
        #expect(run.chunks.isEmpty)
        run.advance(by: .milliseconds(1))
        #expect(run.chunks.map(\.bytes.count) == [100])
        run.advance(by: .milliseconds(50))
        #expect(run.chunks.map(\.bytes.count) == [100, 50])
    }

    @Test("A bandwidth of 0 holds everything until another rate comes")
    func closedLink() throws {
        var run = try ChainRun([.init("bandwidth", .upstream)], over: .tcp)
        run.push([1, 2, 3])
        run.advance(by: .seconds(10_000))
        #expect(run.chunks.isEmpty)
        #expect(run.chain.nextDue() == nil)
        try run.change(to: [.init("bandwidth", .upstream, attributes: ["rate": .int(1)])])
        run.advance(by: .milliseconds(3))
        #expect(run.bytes == [1, 2, 3])
    }

    @Test("A slicer pauses after each piece, also between chunks")
    func slicer() throws {
        let attributes: [String: ToxicValue] = ["average_size": .int(2), "delay": .int(1000)]
        var run = try ChainRun([.init("slicer", .upstream, attributes: attributes)], over: .tcp)
        run.push([1, 2, 3])
        run.push([4, 5])
        #expect(run.chunks.map(\.bytes) == [[1, 2]])
        run.advance(by: .milliseconds(1))
        #expect(run.chunks.map(\.bytes) == [[1, 2], [3]])
        run.advance(by: .milliseconds(1))
        #expect(run.chunks.map(\.bytes) == [[1, 2], [3], [4, 5]])
        #expect(run.chunks[0].changes.map(\.kind) == [.sliced])
        #expect(run.chunks[2].changes.isEmpty)
    }

    @Test("A slicer's pieces have the sizes that its settings allow, none of them empty", arguments: [(5, 2), (1, 1)])
    func sliceSizes(average: Int, variation: Int) throws {
        let attributes: [String: ToxicValue] = ["average_size": .int(average), "size_variation": .int(variation)]
        var run = try ChainRun([.init("slicer", .upstream, attributes: attributes)], over: .tcp)
        run.push([UInt8](repeating: 7, count: 3000))
        let sizes = Set(run.chunks.dropLast().map(\.bytes.count))
        #expect(sizes == Set(max(1, average - variation)...(average + variation)))
        let first = run.chunks[0].changes
        #expect(first.map(\.count) == [run.chunks.count] && first.map(\.toxic) == ["slicer_upstream"])
    }

    @Test("Bandwidth cuts a stream into what goes in 20 ms, but into no more than 64 KiB")
    func pieces() throws {
        for (rate, sizes) in [(7, [140, 140, 20]), (3276, [300]), (10_000, [65_536, 65_536, 3])] {
            let attributes: [String: ToxicValue] = ["rate": .int(rate)]
            var run = try ChainRun([.init("bandwidth", .upstream, attributes: attributes)], over: .tcp)
            run.push([UInt8](repeating: 1, count: sizes.reduce(0, +)))
            run.advance(by: .seconds(1))
            #expect(run.chunks.map(\.bytes.count) == sizes)
        }
    }

    @Test("A slow close passes bytes at once, and the end later")
    func slowClose() throws {
        var flow = try connected(.tcp, .init("slow_close", .upstream, attributes: ["delay": .int(50)]))
        flow(.received(.upstream), "quick", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true), .wake(at: .milliseconds(50)))
        flow(.received(.downstream), "still", gives: .data(.downstream, 0, at: 0, 5), .send(.downstream))
        flow.advance(by: .milliseconds(50))
        flow(.wake, gives: .endForwarded(.upstream), .finish(.upstream))
    }

    @Test("Reordered datagrams are overtaken by those that follow")
    func reorder() throws {
        let attributes: [String: ToxicValue] = ["rate": .double(0.5), "delay": .int(10)]
        var run = try ChainRun([.init("reorder", .downstream, attributes: attributes)], over: .udp, seed: 3)
        for number in UInt8(0)..<100 { run.push([number]) }
        let first = run.bytes
        run.advance(by: .milliseconds(10))
        #expect(Set(run.bytes) == Set(0..<100))
        #expect(first == first.sorted() && (30...70).contains(first.count))
        let late = run.chunks.dropFirst(first.count)
        #expect(
            late.allSatisfy { $0.changes.map(\.kind) == [.reordered] && $0.changes[0].toxic == "reorder_downstream" }
        )
    }
}
