import Testing

@testable import WeirRelay

@Suite("Memory of batches")
struct RecycledMemoryTests {
    @Test("What is given back is lent again, empty, and with its room")
    func recycling() {
        let memory = RecycledMemory(size: 1000)
        var bytes = memory.take()
        #expect(bytes.isEmpty && bytes.capacity >= 1000)
        bytes.append(contentsOf: [1, 2, 3])
        memory.giveBack(bytes)
        #expect(memory.count == 1)
        let again = memory.take()
        #expect(again.isEmpty && again.capacity >= 1000 && memory.count == 0)
    }

    @Test("Keeps few arrays, and none that has grown much")
    func limits() {
        let memory = RecycledMemory(size: 1000)
        for _ in 0..<20 { memory.giveBack(RecycledMemory(size: 1000).take()) }
        #expect(memory.count == 4)
        let other = RecycledMemory(size: 1000)
        var grown = other.take()
        grown.append(contentsOf: Array(repeating: 0, count: 5000))
        other.giveBack(grown)
        #expect(other.count == 0)
    }

    @Test("An array of twice the room is let go, and a smaller one is kept")
    func boundary() {
        let bytes = RecycledMemory(size: 3000).take()
        let half = bytes.capacity / 2
        for (size, count) in [(half, 0), (half + 1, 1)] {
            let memory = RecycledMemory(size: size)
            memory.giveBack(bytes)
            #expect(memory.count == count)
        }
    }

    @Test("Gives up what it keeps, and keeps again what comes later")
    func forgetting() {
        let memory = RecycledMemory(size: 1000)
        memory.giveBack(memory.take())
        memory.forget()
        #expect(memory.count == 0)
        memory.giveBack(memory.take())
        #expect(memory.count == 1)
    }
}
