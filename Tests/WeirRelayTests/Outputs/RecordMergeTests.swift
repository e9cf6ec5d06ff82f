import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Record merge")
struct RecordMergeTests {
    private static let path = FlowPath(
        client: Endpoint(address: .loopbackV4, port: 1),
        listener: Endpoint(address: .loopbackV4, port: 2)
    )

    private static func batch(_ milliseconds: Int64...) -> RecordBatch {
        var batch = RecordBatch()
        for time in milliseconds {
            let moment = Moment(wallNanoseconds: 0, instant: Instant(nanoseconds: time * 1_000_000))
            batch.append(FlowRecord(flow: FlowID(1), transport: .tcp, path: path, moment: moment, happening: .opened))
        }
        return batch
    }

    private static func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private static func times(_ run: RecordRun?) -> [Int64] {
        var times: [Int64] = []
        run?.forEach { record, _ in times.append(record.moment.instant.nanoseconds / 1_000_000) }
        return times
    }

    private static func drain(_ merge: inout RecordMerge, at now: Instant?) -> [Int64] {
        var times: [Int64] = []
        while let run = merge.next(at: now) { times += Self.times(run) }
        return times
    }

    @Test("One loop's records never wait")
    func oneLane() {
        var merge = RecordMerge(lanes: 1, window: .milliseconds(10))
        merge.add(Self.batch(5, 6, 7), lane: 0)
        merge.add(Self.batch(8), lane: 0)
        #expect(Self.drain(&merge, at: Self.at(0)) == [5, 6, 7, 8])
        #expect(merge.waitingTime(at: Self.at(0)) == nil)
    }

    @Test("Records of several loops come in the order of their times")
    func order() {
        var merge = RecordMerge(lanes: 3, window: .milliseconds(10))
        merge.add(Self.batch(1, 4, 7), lane: 0)
        merge.add(Self.batch(2, 5, 8), lane: 1)
        merge.add(Self.batch(3, 6, 9), lane: 2)
        merge.add(Self.batch(10), lane: 0)
        #expect(Self.drain(&merge, at: nil) == Array(1...10))
    }

    @Test("The memory of a batch counts as given up with its last record")
    func passedCost() {
        var merge = RecordMerge(lanes: 2, window: .milliseconds(10))
        let batches = [Self.batch(1, 3), Self.batch(2), Self.batch(4)]
        merge.add(batches[0], lane: 0)
        merge.add(batches[1], lane: 1)
        merge.add(batches[2], lane: 1)
        #expect(Self.times(merge.next(at: nil)) == [1])
        #expect(merge.takePassedCost() == 0)
        let second = merge.next(at: nil)
        #expect(Self.times(second) == [2] && second?.cost == batches[1].cost)
        #expect(merge.takePassedCost() == batches[1].cost)
        #expect(Self.drain(&merge, at: nil) == [3, 4])
        #expect(merge.takePassedCost() == batches[0].cost + batches[2].cost)
        #expect(merge.takePassedCost() == 0)
    }

    @Test("A run is as long as no other loop's record is earlier, and of equal times the first loop's comes first")
    func runs() {
        var merge = RecordMerge(lanes: 2, window: .milliseconds(10))
        merge.add(Self.batch(1, 2, 4, 4), lane: 0)
        merge.add(Self.batch(3, 4, 5), lane: 1)
        #expect(Self.times(merge.next(at: nil)) == [1, 2])
        #expect(Self.times(merge.next(at: nil)) == [3])
        #expect(Self.times(merge.next(at: nil)) == [4, 4])
        #expect(Self.times(merge.next(at: nil)) == [4, 5])
        var alone = RecordMerge(lanes: 1, window: .milliseconds(10))
        alone.add(Self.batch(1, 2, 3), lane: 0)
        #expect(Self.times(alone.next(at: Self.at(0))) == [1, 2, 3])
        #expect(alone.firstTime == nil && alone.next(at: nil) == nil)
    }

    @Test("Within a run, too, a record waits for a loop that is silent")
    func windowWithin() {
        var merge = RecordMerge(lanes: 2, window: .milliseconds(10))
        merge.add(Self.batch(100, 105, 106), lane: 1)
        #expect(Self.times(merge.next(at: Self.at(115))) == [100, 105])
        #expect(merge.next(at: Self.at(115)) == nil)
        #expect(Self.times(merge.next(at: Self.at(116))) == [106])
    }

    @Test("A record waits for a loop that is silent, for the window and no longer")
    func window() {
        var merge = RecordMerge(lanes: 2, window: .milliseconds(10))
        merge.add(Self.batch(100, 105), lane: 0)
        #expect(Self.drain(&merge, at: Self.at(109)) == [])
        #expect(merge.waitingTime(at: Self.at(104)) == .milliseconds(6))
        #expect(merge.waitingTime(at: Self.at(200)) == .zero)
        #expect(Self.drain(&merge, at: Self.at(110)) == [100])
        // The other loop speaks: what it says is earlier, and comes first.
        merge.add(Self.batch(103, 120), lane: 1)
        #expect(Self.drain(&merge, at: Self.at(111)) == [103, 105])
        #expect(Self.drain(&merge, at: Self.at(129)) == [])
        #expect(Self.drain(&merge, at: Self.at(130)) == [120])
    }

    @Test("No record waits for a loop that is idle, but for its own time to come")
    func idle() {
        var merge = RecordMerge(lanes: 3, window: .milliseconds(10))
        merge.add(Self.batch(100, 105), lane: 1)
        #expect(merge.firstTime == Self.at(100))
        // One of the others is busy.
        #expect(merge.next(at: Self.at(104), idle: [true, false, false]) == nil)
        #expect(merge.waitingTime(at: Self.at(104), idle: [true, false, false]) == .milliseconds(6))
        #expect(merge.waitingTime(at: Self.at(104), idle: [false, true, true]) == .milliseconds(6))
        // Both are idle.
        #expect(merge.waitingTime(at: Self.at(99), idle: [true, false, true]) == .milliseconds(1))
        #expect(Self.times(merge.next(at: Self.at(104), idle: [true, false, true])) == [100])
        #expect(merge.next(at: Self.at(104), idle: [true, false, true]) == nil)
        #expect(Self.times(merge.next(at: Self.at(105), idle: [true, false, true])) == [105])
        // All have records: none waits.
        for lane in 0..<3 { merge.add(Self.batch(500 + Int64(lane)), lane: lane) }
        #expect(merge.waitingTime(at: Self.at(0)) == .zero)
        #expect(Self.times(merge.next(at: Self.at(0))) == [500])
    }

    @Test("Without a loop there is one, and a batch without records is none")
    func noLane() {
        var merge = RecordMerge(lanes: 0, window: .milliseconds(10))
        merge.add(RecordBatch(), lane: 0)
        #expect(merge.firstTime == nil && merge.next(at: nil) == nil && merge.waitingTime(at: Self.at(0)) == nil)
        merge.add(Self.batch(5), lane: 0)
        #expect(merge.firstTime == Self.at(5) && Self.drain(&merge, at: Self.at(0)) == [5] && merge.firstTime == nil)
    }

    @Test("Many batches of a loop that wait are taken in their order, however many were taken before")
    func waitingBatches() {
        for taken in [0, 1, 63, 64, 65, 130] {
            var merge = RecordMerge(lanes: 1, window: .zero)
            for number in 0..<200 { merge.add(Self.batch(Int64(number)), lane: 0) }
            for number in 0..<taken { #expect(Self.times(merge.next(at: nil)) == [Int64(number)]) }
            merge.add(Self.batch(200), lane: 0)
            #expect(Self.drain(&merge, at: nil) == (Int64(taken)...200).map { $0 })
        }
    }

    @Test("At the end nothing waits")
    func end() {
        var merge = RecordMerge(lanes: 4, window: .milliseconds(10))
        merge.add(Self.batch(100), lane: 2)
        #expect(Self.drain(&merge, at: nil) == [100])
    }

    @Test("Takes many batches of two loops in turn")
    func batches() {
        var merge = RecordMerge(lanes: 2, window: .zero)
        for number in 0..<200 { merge.add(Self.batch(Int64(number)), lane: number % 2) }
        merge.add(RecordBatch(), lane: 0)
        for number in 0..<200 { #expect(Self.times(merge.next(at: nil)) == [Int64(number)]) }
        #expect(merge.next(at: nil) == nil)
    }
}
