import Testing

@testable import WeirRelay

@Suite("Slot table")
struct SlotTableTests {
    @Test("A place that is used again does not answer to the token of its last tenant")
    func generations() {
        var table = SlotTable<String>()
        var tokens: [Token] = []
        func make(_ name: String) -> (Int, UInt32) -> String {
            { place, generation in
                tokens.append(Token(.client, place: place, generation: generation))
                return name
            }
        }
        _ = table.insert(make("first"))
        _ = table.insert(make("second"))
        #expect(table.count == 2)
        #expect(table[tokens[0]] == "first" && table[tokens[1]] == "second")
        table.remove(at: tokens[0].place)
        #expect(table[tokens[0]] == nil && table.count == 1)
        // Removing twice is harmless.
        table.remove(at: tokens[0].place)
        #expect(table.count == 1)
        _ = table.insert(make("third"))
        #expect(tokens[2].place == tokens[0].place)
        #expect(table[tokens[0]] == nil && table[tokens[2]] == "third")
        #expect(table.all.sorted() == ["second", "third"])
    }

    @Test("Knows no token of a place that never was")
    func unknown() {
        let table = SlotTable<Int>()
        #expect(table[Token(.client, place: 0)] == nil)
        #expect(table[Token(.client, place: Int(UInt32.max))] == nil)
    }

    @Test("Finds an element by its number while it is there, also when its place has another tenant")
    func numbers() {
        var table = SlotTable<Int>()
        for number in 1...5 { _ = table.insert(numbered: UInt64(number)) { place, _ in place * 10 + number } }
        _ = table.insert { _, _ in 99 }
        #expect((1...5).map { table.find(UInt64($0)) } == [1, 12, 23, 34, 45])
        #expect(table.find(0) == nil && table.find(6) == nil)
        table.remove(at: 2)
        table.remove(at: 2)
        #expect(table.find(3) == nil)
        _ = table.insert(numbered: 6) { place, _ in place * 10 + 6 }
        #expect(table.find(6) == 26 && table.find(3) == nil)
        table.remove(at: 5)
        table.remove(at: 2)
        #expect((1...6).map { table.find(UInt64($0)) } == [1, 12, nil, 34, 45, nil])
    }

    @Test("Grows and shrinks")
    func many() {
        var table = SlotTable<Int>()
        for round in 0..<3 {
            for number in 0..<1000 { _ = table.insert { place, _ in place * 10 + number % 10 } }
            #expect(table.count == 1000)
            #expect(Set(table.all.map { $0 / 10 }) == Set(0..<1000), "round \(round)")
            for place in 0..<1000 { table.remove(at: place) }
            #expect(table.count == 0 && table.all.isEmpty)
        }
    }
}

extension SlotTable {
    /// Finds a free place, and puts a new element there.
    fileprivate mutating func insert(
        numbered number: UInt64? = nil,
        _ make: (_ place: Int, _ generation: UInt32) -> Element
    ) -> Element {
        let slot = reserve()
        let element = make(slot.place, slot.generation)
        put(element, at: slot, numbered: number)
        return element
    }
}
