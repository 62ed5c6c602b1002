"""The words of Spanish titles."""

from lexicon.words import Language

SPANISH = Language(
    products={
        "FASHION": (
            "camisa, blusa, camiseta, polo, túnica / -, de manga larga, de manga corta, sin mangas",
            "pantalón, falda, bermuda, malla / -, de tiro alto, con bolsillos, corte recto",
            "chaqueta, sudadera, abrigo, chaleco / -, con capucha, de entretiempo, con cremallera",
            "zapatillas, sandalias, botines, mocasines / -, sin cordones, de plataforma, de vestir",
            "bolso bandolera, mochila, cartera, riñonera / -, de viaje, plegable, antirrobo",
            "gorra, sombrero, bufanda, cinturón / -, de invierno, de verano",
        ),
        "HEALTH_BEAUTY": (
            "crema facial, crema para la piel, sérum, mascarilla / -, de noche, de carbón negro",
            "champú, acondicionador, tinte, aceite capilar / -, sin sulfatos, de romero",
            "labial, rímel, colorete, base de maquillaje / -, de larga duración, en polvo, mate",
            "jabón, gel de ducha, esponja, sales de baño / -, de avena, de lavanda, de bebé",
            "vitaminas, colágeno, infusión, jarabe / -, en cápsulas, en gotas, de jengibre",
            "cepillo de dientes, pasta dental, enjuague bucal / -, de viaje, de menta, de bambú",
        ),
        "ELECTRONICS": (
            "auriculares, altavoz, micrófono / -, con cancelación de ruido, de estudio, de juego",
            "cable de carga, cargador, batería externa, regleta / -, de viaje, con interruptor",
            "ratón, teclado, monitor, alfombrilla / -, de oficina, plegable, con luz",
            "cámara, cámara de vigilancia, objetivo, trípode / -, de bolsillo, de exterior",
            "ventilador, hervidor, batidora, plancha, lámpara / -, de bajo consumo, de mano",
            "funda de móvil, protector de pantalla, soporte de móvil / -, antigolpes, flexible",
        ),
        "HOME_FURNITURE": (
            "mesa de centro, mesa de comedor, escritorio, estantería / -, plegable, de pared, nido",
            "silla, taburete, sofá, butaca, banco / -, de terraza, con reposabrazos, infantil",
            "sábana, funda nórdica, manta, cojín, colcha / -, de verano, de cama doble",
            "cortina, alfombra, felpudo, mantel / -, de baño, de salón, antideslizante",
            "cuadros decorativos, florero, reloj de pared, espejo / -, de pie, de estilo rústico",
            "olla, sartén, tabla de cortar, tetera, frascos / -, antiadherente, con tapa",
        ),
        "MOTORS": (
            "aceite de motor, líquido de frenos, anticongelante / -, para diésel, de larga vida",
            "pastillas de freno, disco de freno, cadena, bujía, filtro de aire / -, de repuesto",
            "neumático, cámara de aire, llanta, tapacubos / -, de invierno, todo terreno",
            "casco, guantes de moto, chaqueta de moto, botas de moto / -, con visera, de ruta",
            "faro, intermitente, bocina, espejo retrovisor / -, de coche, de moto, universal",
            "funda de asiento, funda de volante, ambientador, cubrecoche / -, a medida, de lujo",
        ),
        "OTHER": (
            "té verde, arroz negro, pimienta blanca, chocolate negro / -, a granel, ecológico",
            "galletas, turrón, mermelada, patatas fritas / -, sin azúcar, en lata, de la abuela",
            "cuaderno, bolígrafo, lápices de colores, pizarra blanca / -, escolar, de recambio",
            "peluche, rompecabezas, cometa, bloques / -, de aprendizaje, de niños, gigante",
            "pienso para gatos, arena para gatos, jaula / -, sin perfume, de viaje",
            "raqueta, balón, esterilla de yoga, comba / -, de entrenamiento, de iniciación",
        ),
    },
    materials={
        "FASHION": "algodón, lino, lana, seda, piel, ante, punto, poliéster, terciopelo, gasa,"
        " franela",
        "HEALTH_BEAUTY": "bambú, vidrio, silicona, madera",
        "ELECTRONICS": "plástico, aluminio, silicona, vidrio, piel, madera",
        "HOME_FURNITURE": "madera, roble, bambú, mimbre, hierro, acero, acero inoxidable, vidrio,"
        " cerámica, algodón, lino, plástico",
        "MOTORS": "caucho, hierro, acero, piel, aluminio, nailon, plástico",
        "OTHER": "madera, papel, plástico, caucho, algodón, fieltro",
    },
    colors="negro, blanco, rojo, azul, verde, amarillo, gris, marrón, rosa, morado, naranja, beige,"
    " dorado, plata, azul marino, verde oliva, crema, granate",
    patterns="liso, rayas, cuadros, flores, lunares, camuflaje, leopardo, abstracto, hojas, puntos",
    groups="mujer, hombre, niños, bebé, niña, niño, adultos, adolescentes, embarazadas, mayores,"
    " unisex, jóvenes, principiantes, recién nacidos",
    cues={
        "MATERIAL": "-, de, en",
        "COLOR": "-, -, color",
        "PATTERN": "-, de, estampado",
        "CONSUMER_GROUP": "-, para, de",
    },
    gift_cues="de regalo, gratis, +, incluye",
    fit_cue="para",
    ads="oferta, barato, envío gratis, original, nuevo modelo 2023, garantía 2 años, liquidación,"
    " últimas unidades, precio de fábrica, 2x1, rebajas, entrega en 24 h, alta calidad, importado,"
    " stock limitado, al por mayor, pago a plazos, más vendido, devolución gratis, tienda oficial",
    traps="Viernes Negro, tarjeta plata, etiqueta verde, caja de madera, envoltorio de flores,"
    " semana blanca, factura en papel, a prueba de niños, código rojo, suma puntos, cliente dorado",
    category_traps={
        "FASHION": "no irrita la piel, suave con la piel, percha de plástico, botón de madera,"
        " tono piel",
        "HEALTH_BEAUTY": "piel seca, para piel grasa, cabello liso, aroma de rosa,"
        " dientes blanco nieve,"
        " puntos negros, cabello negro brillante, aceite de naranja, bote de vidrio,"
        " esencia de flores",
        "ELECTRONICS": "sin rayas en pantalla, filtro de luz azul, bloqueo de niños,"
        " cuadros por segundo,"
        " blanco y negro, piloto verde",
        "HOME_FURNITURE": "sin clavos de hierro, no daña la madera, no deja rayas,"
        " seguro con niños,"
        " topes de caucho",
        "MOTORS": "luz blanco frío, línea rojo vivo, evita rayas, sin óxido de hierro,"
        " luz amarillo niebla",
        "OTHER": "sabor naranja, sabor crema, sin colorante amarillo, de cien hojas, piel de limón",
    },
    companions="Casa, Rojo, Flores, Madera, Niña, Verde, Plata, Rosa",
    notices="gastos de envío pedido #, no comprar reserva del pedido #,"
    " enlace de pago diferencia #,"
    " suplemento de embalaje # capas, pedido especial cliente #",
    orders=(
        "PRODUCT BRAND MATERIAL CONSUMER_GROUP COLOR SIZE TRAP AD",
        "BRAND LINE PRODUCT COLOR SIZE AD GIFT",
        "AD PRODUCT FIT LINE BRAND COLOR TRAP",
        "PRODUCT ALSO CONSUMER_GROUP PATTERN MATERIAL COLOR AD AD",
        "TRAP PRODUCT PATTERN MATERIAL COLOR BRAND SIZE AD",
        "AD GIFT ALSO BRAND PRODUCT CONSUMER_GROUP FIT SIZE LINE TRAP",
    ),
)
