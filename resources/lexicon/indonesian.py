"""The words of Indonesian titles."""

from lexicon.words import Language

INDONESIAN = Language(
    products={
        "FASHION": (
            "kemeja, blus, kaus oblong, tunik, gamis / -, lengan panjang, lengan pendek, oversize",
            "celana kulot, celana chino, rok plisket, legging / -, pinggang karet, jumbo, kerja",
            "jaket, hoodie, kardigan, rompi / -, tebal, berkancing, musim hujan",
            "tas selempang, ransel, dompet, tas pinggang / -, mini, lipat, anti air",
            "sandal, sepatu kets, sepatu pantofel, selop / -, tanpa tali, hak tinggi, kerja",
            "jilbab segi empat, pasmina, bergo / -, instan, jumbo",
        ),
        "HEALTH_BEAUTY": (
            "sabun mandi, sabun muka, sampo, kondisioner / -, cair, herbal, lidah buaya",
            "pelembap wajah, serum, toner, masker wajah, krim malam / -, pencerah, arang hitam",
            "lipstik, perona pipi, bedak, maskara, pensil alis / -, padat, tahan air",
            "minyak kayu putih, minyak telon, balsem, koyo / -, hangat, tempel",
            "suplemen, madu hitam, jamu, vitamin / -, kapsul, sirup, kunyit putih",
            "sikat gigi, pasta gigi, obat kumur / -, lembut, arang bambu, bayi",
        ),
        "ELECTRONICS": (
            "kabel data, pengisi daya, baterai cadangan, stopkontak / -, cepat, tiga lubang",
            "earphone, headset, pelantang, mikrofon / -, nirkabel, gaming, karaoke",
            "kamera, kamera pengintai, webcam, lensa / -, mini, malam, tahan air",
            "tetikus, papan ketik, monitor, hub / -, nirkabel, lipat, kantor",
            "kipas angin, penanak nasi, blender, setrika, lampu meja / -, portabel, hemat daya",
            "pelindung layar, casing ponsel, dudukan ponsel / -, anti gores, putar",
        ),
        "HOME_FURNITURE": (
            "meja belajar, meja tamu, meja makan, rak buku / -, lipat, susun, minimalis",
            "kursi, bangku, sofa, kursi malas / -, santai, sudut, teras",
            "seprai, sarung bantal, selimut, kasur / -, anak, kamar tamu, kancing",
            "gorden, tirai, karpet, keset / -, jendela, pintu, kamar mandi",
            "pot bunga, vas bunga, jam dinding, cermin, bingkai foto / -, gantung, hias",
            "panci, wajan, teko, toples, talenan / -, anti lengket, kotak, dapur",
        ),
        "MOTORS": (
            "oli mesin, oli gardan, minyak rem, cairan radiator / -, matic, bebek, diesel",
            "kampas rem, cakram rem, rantai, gir, kabel gas / -, depan, belakang, balap",
            "ban luar, ban dalam, velg / -, depan, belakang, tubeless",
            "helm, sarung tangan motor, jas hujan, jaket motor / -, setengah muka, touring, anak",
            "lampu rem, lampu sein, klakson, spion, busi / -, mobil, motor, variasi",
            "sarung jok, karpet mobil, penutup mobil, sarung setir / -, universal, tebal",
        ),
        "OTHER": (
            "beras merah, beras putih, kacang hijau, teh hijau, kopi hitam / -, organik, curah",
            "keripik singkong, rempeyek, sambal, kue kering / -, pedas, renyah, kaleng",
            "buku tulis, buku gambar, pulpen, kertas lipat / -, sekolah, isi ulang",
            "boneka, mobil mobilan, balok susun, puzel / -, edukasi, jumbo, anak",
            "makanan kucing, pasir kucing, kandang hamster / -, kering, wangi",
            "raket, bola voli, matras yoga, tali skipping / -, latihan, pemula",
        ),
    },
    materials={
        "FASHION": "katun, denim, linen, rayon, sutra, wol, kulit, kulit sintetis, kanvas, satin,"
        " rajut",
        "HEALTH_BEAUTY": "bambu, kaca, silikon, kayu",
        "ELECTRONICS": "plastik, aluminium, silikon, kaca, nilon, kayu",
        "HOME_FURNITURE": "kayu jati, rotan, bambu, besi, baja, plastik, kaca, keramik, katun,"
        " kayu",
        "MOTORS": "karet, besi, baja, kulit, aluminium, nilon, kulit sintetis",
        "OTHER": "kayu, kertas, plastik, karet, katun, flanel",
    },
    colors="hitam, putih, merah, biru, hijau, kuning, abu abu, coklat, ungu, merah muda,"
    " biru dongker,"
    " krem, emas, perak, hijau lumut, jingga, marun, putih gading",
    patterns="polos, garis garis, kotak kotak, bunga, batik, polkadot, loreng, macan, abstrak,"
    " daun",
    groups="wanita, pria, anak, bayi, dewasa, remaja, ibu hamil, anak perempuan, anak laki laki,"
    " balita, lansia, cewek, cowok, pemula",
    cues={
        "MATERIAL": "-, bahan, dari",
        "COLOR": "-, -, warna",
        "PATTERN": "-, motif",
        "CONSUMER_GROUP": "-, untuk, khusus",
    },
    gift_cues="gratis, bonus, +, free",
    fit_cue="untuk",
    ads="murah, termurah, original, asli, grosir, promo, diskon, gratis ongkir, bisa COD, impor,"
    " viral,"
    " garansi resmi, ready stok, terlaris, kualitas premium, harga pabrik, beli 2 gratis 1,"
    " kirim hari ini, cuci gudang, siap kirim, garansi 1 tahun, terbaru 2023, laris manis",
    traps="cicilan bunga 0 %, poin kartu emas, packing kayu, bonus kertas kado, ramah anak,"
    " tanggal merah tetap kirim, hitam di atas putih, bungkus plastik tebal, toko bintang perak,"
    " cabang anak perusahaan, daun promo kuning",
    category_traps={
        "FASHION": "adem di kulit, nyaman di kulit, kancing besi, putih tidak menerawang,"
        " kotak sepatu",
        "HEALTH_BEAUTY": "untuk kulit kering, kulit berminyak, rambut hitam berkilau,"
        " aroma bunga mawar,"
        " noda hitam hilang, gigi putih, selembut kulit bayi, ekstrak daun sirih, botol kaca",
        "ELECTRONICS": "lampu indikator hijau, layar hitam putih, kunci anak, cahaya kuning hangat,"
        " suara jernih kaca, mode malam biru",
        "HOME_FURNITURE": "kaki karet anti selip, tanpa paku besi, aman untuk anak,"
        " bebas rayap kayu,"
        " tidak lecet lantai keramik",
        "MOTORS": "cahaya putih terang, pelat hitam, tahan karat besi, kabut kuning,"
        " bukan untuk pemula",
        "OTHER": "rasa coklat, kulit jeruk, tanpa pewarna merah, isi satu kotak, kesukaan balita",
    },
    companions="Rumah, Merah, Bunga, Kayu, Putra, Hijau, Anak, Emas",
    notices="biaya tambahan ongkir pesanan #, jangan dibeli khusus transaksi nomor #,"
    " link bayar selisih #,"
    " tambah bubble wrap # lapis, pesanan khusus pelanggan #",
    orders=(
        "AD BRAND PRODUCT CONSUMER_GROUP MATERIAL COLOR SIZE TRAP AD",
        "PRODUCT BRAND LINE COLOR SIZE AD GIFT",
        "LINE BRAND PRODUCT FIT COLOR TRAP AD",
        "PRODUCT ALSO CONSUMER_GROUP PATTERN MATERIAL COLOR AD AD",
        "TRAP PRODUCT PATTERN COLOR ALSO CONSUMER_GROUP SIZE BRAND",
        "AD GIFT PRODUCT MATERIAL FIT SIZE LINE BRAND TRAP",
    ),
)
